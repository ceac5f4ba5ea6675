import { dirname, resolve } from "node:path";
import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import type { CheckItem } from "../../server/check/check_item.ts";
import { checkServer } from "../../server/check/check_server.ts";
import type { Invocation } from "../commands/command.ts";
import { paint } from "../terminal/colours.ts";
import { printable } from "../../text_width.ts";
import { configFile } from "../values.ts";
import { registrationsOf } from "./registrations_of.ts";

const SIGNS = {
  ok: () => paint("green", "✓"),
  warning: () => paint("yellow", "!"),
  failed: () => paint("red", "✗"),
};

export async function serverCheck(invocation: Invocation): Promise<number> {
  const file = configFile(invocation);
  const { config: { server } } = loadConfig(file);
  const folder = dirname(resolve(file));
  const items = await checkServer(
    server,
    registrationsOf(server.registryUrl) ?? [],
    findDaemon(folder, "server") !== undefined,
  );
  const failed = items.filter(({ state }) => state === "failed").length;
  if (invocation.values["json"] === true) {
    process.stdout.write(`${JSON.stringify({ ok: failed === 0, items })}\n`);
  } else {
    const width = Math.max(...items.map(({ name }) => name.length));
    process.stdout.write(items.map((item) => textOf(item, width)).join(""));
    process.stdout.write(
      `\n${failed === 0 ? "All is well" : failed === 1 ? "One thing is wrong" : `${failed} things are wrong`}\n`,
    );
  }
  return failed === 0 ? 0 : 1;
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
