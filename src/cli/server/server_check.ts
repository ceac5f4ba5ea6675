import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { PetitError } from "../../error.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import { openRegistry } from "../../registry/open_registry.ts";
import type { Registration } from "../../registry/registry.ts";
import type { CheckItem } from "../../server/check/check_item.ts";
import { checkServer } from "../../server/check/check_server.ts";
import type { Invocation } from "../commands/command.ts";
import { SIGNS, verdict } from "../terminal/check_result.ts";
import { paint } from "../terminal/colours.ts";
import { printable } from "../../text_width.ts";
import { configFile } from "../values.ts";

export async function serverCheck(invocation: Invocation): Promise<number> {
  const file = configFile(invocation);
  const { config: { server } } = loadConfig(file);
  const folder = dirname(resolve(file));
  const items = await checkServer(
    server,
    registrationsOf(server.registryUrl),
    findDaemon(folder, "server") !== undefined,
  );
  const failed = items.filter(({ state }) => state === "failed").length;
  if (invocation.values["json"] === true) {
    process.stdout.write(`${JSON.stringify({ ok: failed === 0, items })}\n`);
  } else {
    const width = Math.max(...items.map(({ name }) => name.length));
    process.stdout.write(items.map((item) => textOf(item, width)).join(""));
    process.stdout.write(
      `\n${verdict(failed)}\n`,
    );
  }
  return failed === 0 ? 0 : 1;
}

/** A registry that cannot be read is told of by the server; here it only means that less is known. */
function registrationsOf(url: string): readonly Registration[] {
  // Opened, it would be made.
  if (!existsSync(url.slice("sqlite:".length))) return [];
  try {
    const registry = openRegistry(url);
    try {
      return registry.registrations();
    } finally {
      registry.close();
    }
  } catch (error) {
    if (error instanceof PetitError) return [];
    throw error;
  }
}

function textOf({ name, state, detail, hint, line }: CheckItem, width: number): string {
  const indent = `  ${"".padEnd(width)}  `;
  const more = [
    ...(line === undefined ? [] : [`into sshd_config: ${line.replaceAll("\n", ", ")}`]),
    ...(hint === undefined ? [] : [hint]),
  ];
  return `${SIGNS[state]()} ${name.padEnd(width)}  ${printable(detail)}\n` +
    more.map((text) => `${indent}${paint("cyan", "→")} ${printable(text)}\n`).join("");
}
