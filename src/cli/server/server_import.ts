import { readFileSync } from "node:fs";
import process from "node:process";
import { messageOf, PetitError } from "../../error.ts";
import { readLegacyRegistry } from "../../registry/legacy_registry.ts";
import type { ImportConflict } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { printable } from "../../text_width.ts";
import { withRegistry } from "./with_registry.ts";

export function serverImport(invocation: Invocation): number {
  const file = invocation.positionals[0];
  if (file === undefined) {
    throw new PetitError("usage", "A file is missing", {
      hint: 'Wanted: the JSON registry file of petit 0.6, such as "petit server import ~/.petit/registry"',
      exitCode: 2,
    });
  }
  const dryRun = invocation.values["dry-run"] === true;
  const { registrations, highest, problems } = readLegacyRegistry(textOf(file));
  const { added, known, conflicts } = withRegistry(
    invocation,
    // What is wrong with the rest is told too.
    (registry) => registry.import(registrations, { now: Date.now(), highest, dryRun: dryRun || problems.length > 0 }),
  );
  const all = [...problems, ...conflicts].sort((a, b) => Number(a.id) - Number(b.id));
  if (invocation.values["json"] === true) {
    const done = all.length === 0;
    const facts = { added: done ? added : [], known, problems: all, dryRun };
    process.stdout.write(`${JSON.stringify(facts)}\n`);
  } else if (all.length === 0) {
    process.stdout.write(
      `${count(added)} ${dryRun ? "would be" : added.length === 1 ? "was" : "were"} taken in` +
        (known.length === 0 ? "\n" : `; ${known.length} ${known.length === 1 ? "is" : "are"} here already\n`),
    );
  }
  if (all.length > 0) throw refused(file, all);
  return 0;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new PetitError("import-unreadable", `Cannot read "${file}": ${messageOf(error)}`, { cause: error });
  }
}

function refused(file: string, problems: readonly ImportConflict[]): PetitError {
  const lines = problems.map(({ id, reason }) => printable(`  ${id}: ${reason}`));
  const what = problems.length === 1 ? "one problem" : `${problems.length} problems`;
  return new PetitError("import-conflict", `"${file}" was not taken in, for ${what}:\n${lines.join("\n")}`, {
    hint: "Nothing was changed. Mend a copy of the file, or take what is in its way out of the registry",
  });
}

function count(ids: readonly string[]): string {
  return ids.length === 1 ? `Registration ${ids[0]}` : `${ids.length} registrations`;
}
