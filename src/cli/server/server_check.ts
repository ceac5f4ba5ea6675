import process from "node:process";
import { type FoundFormer, toldFormer } from "../../config/former_settings.ts";
import { loadConfig } from "../../config/load.ts";
import { PetitError } from "../../error.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import { type ListedRegistration, listedRegistrations } from "../../registry/listed_registrations.ts";
import { registryFile } from "../../registry/open_registry.ts";
import { type CheckItem, ok } from "../../server/check/check_item.ts";
import { checkServer } from "../../server/check/check_server.ts";
import type { Invocation } from "../commands/command.ts";
import { SIGNS, verdict } from "../terminal/check_result.ts";
import { paint } from "../terminal/colours.ts";
import { printable } from "../../text_width.ts";
import { configFile } from "../values.ts";

export async function serverCheck(invocation: Invocation): Promise<number> {
  const file = configFile(invocation);
  const { config: { server }, folder, former } = loadConfig(file);
  const { registrations, item } = lookAtRegistry(server.registryUrl);
  const running = findDaemon(folder, "server") !== undefined;
  const items = [...formerItems(former), item, ...await checkServer(server, registrations, running)];
  const failed = items.filter(({ state }) => state === "failed").length;
  if (invocation.values["json"] === true) {
    process.stdout.write(`${JSON.stringify({ ok: failed === 0, items })}\n`);
  } else {
    const width = Math.max(...items.map(({ name }) => name.length));
    process.stdout.write(items.map((item) => textOf(item, width)).join("") + linesOf(items));
    process.stdout.write(
      `\n${verdict(failed)}\n`,
    );
  }
  return failed === 0 ? 0 : 1;
}

/** What stands in the config and means nothing any more; a server does not start with some of it. */
function formerItems(former: readonly FoundFormer[]): CheckItem[] {
  return toldFormer("server", former).map(({ sentence, first }) =>
    first === undefined
      ? { name: "config", state: "warning", detail: sentence, hint: "Take it out there" }
      : { name: "config", state: "failed", detail: sentence, hint: first }
  );
}

function lookAtRegistry(url: string): { registrations: readonly ListedRegistration[]; item: CheckItem } {
  try {
    const registrations = listedRegistrations(url);
    const { length } = registrations;
    const file = registryFile(url);
    return {
      registrations,
      item: ok(
        "registry",
        `There ${length === 1 ? "is one registration" : `are ${length} registrations`} in "${file}"`,
      ),
    };
  } catch (error) {
    if (!(error instanceof PetitError)) throw error;
    const { message: detail, hint } = error;
    const item: CheckItem = { name: "registry", state: "failed", detail, ...(hint === undefined ? {} : { hint }) };
    return { registrations: [], item };
  }
}

function textOf({ name, state, detail, hint }: CheckItem, width: number): string {
  const more = hint === undefined ? "" : `  ${"".padEnd(width)}  ${paint("cyan", "→")} ${printable(hint)}\n`;
  return `${SIGNS[state]()} ${name.padEnd(width)}  ${printable(detail)}\n${more}`;
}

/** The lines for sshd_config, to be pasted as they are. */
function linesOf(items: readonly CheckItem[]): string {
  const lines = items.flatMap(({ line }) => line === undefined ? [] : line.split("\n"));
  if (lines.length === 0) return "";
  return `
These go to the top of sshd_config, before any Match and any earlier value, since sshd takes the first one; what a Match block
says has to be changed there. Then have sshd read it again:

${lines.map((line) => `${printable(line)}\n`).join("")}`;
}
