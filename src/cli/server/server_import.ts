import { readFileSync } from "node:fs";
import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { messageOf, PetitError } from "../../error.ts";
import type { LegacyRegistry } from "../../registry/legacy_entry.ts";
import { readLegacyRedis } from "../../registry/legacy_redis.ts";
import { readLegacyRegistry } from "../../registry/legacy_registry.ts";
import { isRedisUrl } from "../../registry/redis_url.ts";
import { byId } from "../../registry/registration_id.ts";
import type { ImportConflict } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { printable } from "../../text_width.ts";
import { askSecret } from "../terminal/ask_secret.ts";
import { configFile, textValue } from "../values.ts";
import { withRegistry } from "./with_registry.ts";

export async function serverImport(invocation: Invocation): Promise<number> {
  const dryRun = invocation.values["dry-run"] === true;
  const { name, way, content } = await read(await sourceOf(invocation));
  const { highest, leftOut } = content;
  const except = new Set(textValue(invocation, "except")?.split(",").map((id) => id.trim()));
  const wanted = <One extends { id: string }>(all: readonly One[]) => all.filter(({ id }) => !except.has(id));
  const registrations = wanted(content.registrations);
  const problems = wanted(content.problems);
  const { added, known, conflicts } = withRegistry(
    invocation,
    // What is wrong with the rest is told too.
    (registry) => registry.import(registrations, { now: Date.now(), highest, dryRun: dryRun || problems.length > 0 }),
    true,
  );
  const all = sorted([...problems, ...conflicts]);
  if (invocation.values["json"] === true) {
    const done = all.length === 0;
    const facts = { added: done ? added : [], known, leftOut: sorted(leftOut), problems: all, dryRun };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
  } else {
    for (const { id, reason } of sorted(leftOut)) {
      process.stderr.write(printable(`petit: Left out: ${id}: ${reason}`) + "\n");
    }
    if (all.length === 0) {
      process.stdout.write(
        `${count(added)} ${dryRun ? "would be" : added.length === 1 ? "was" : "were"} taken in` +
          (known.length === 0 ? "\n" : `; ${known.length} ${known.length === 1 ? "is" : "are"} here already\n`),
      );
    }
  }
  if (all.length > 0) throw refused(name, way, all);
  return 0;
}

/** A file or URL: what was typed, or the URL in the config file of the 0.6.x server. @throws PetitError `usage` */
async function sourceOf(invocation: Invocation): Promise<string> {
  const [typed] = invocation.positionals;
  if (typed === "-") return await askSecret("URL of the Redis");
  const source = typed ??
    loadConfig(configFile(invocation)).former.find(({ name }) => name === "server.registryUrl")?.value;
  if (typeof source === "string") return source;
  throw new PetitError("usage", "What to take in is missing", {
    hint:
      'Wanted: the JSON registry file of petit 0.6, such as "petit server import ~/.petit/registry", or the URL of its Redis, such as ' +
      '"petit server import redis://localhost:6379"',
    exitCode: 2,
  });
}

interface Source {
  /** What people call it. */
  readonly name: string;
  /** What can be done about its content. */
  readonly way: string;
  readonly content: LegacyRegistry;
}

async function read(source: string): Promise<Source> {
  if (!isRedisUrl(source)) {
    return { name: `"${source}"`, way: "Mend a copy of the file", content: readLegacyRegistry(textOf(source)) };
  }
  // Its library is large, and no other command needs it.
  const { withRedis } = await import("../../registry/redis_reader.ts");
  return await withRedis(source, async (redis) => {
    const content = await readLegacyRedis(redis);
    return { name: redis.name, way: "Mend it there, while the server of petit 0.6 is stopped", content };
  });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new PetitError("import-unreadable", `Cannot read "${file}": ${messageOf(error)}`, { cause: error });
  }
}

function refused(name: string, way: string, problems: readonly ImportConflict[]): PetitError {
  const lines = problems.map(({ id, reason }) => printable(`  ${id}: ${reason}`));
  const what = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  return new PetitError("import-conflict", `${name} was not taken in, for ${what}:\n${lines.join("\n")}`, {
    hint: `Nothing was changed. ${way}, take what is in its way out of the registry, or leave ids out with --except`,
  });
}

function sorted(problems: readonly ImportConflict[]): ImportConflict[] {
  return [...problems].sort(byId);
}

function count(ids: readonly string[]): string {
  return ids.length === 1 ? `Registration ${ids[0]}` : `${ids.length} registrations`;
}
