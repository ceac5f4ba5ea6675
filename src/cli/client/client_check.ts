import process from "node:process";
import { checkClient, type CheckItem } from "../../client/check.ts";
import { SIGNS, verdict } from "../terminal/check_result.ts";
import { paint } from "../terminal/colours.ts";
import type { Invocation } from "../commands/command.ts";
import { printable } from "../../text_width.ts";
import { configFile, textValue } from "../values.ts";

const TITLES: Record<string, string> = {
  "config": "Config file",
  "folder": "Folder",
  "key": "Key",
  "key-mode": "Key's file mode",
  "registration": "Registrations",
  "clock": "Clock",
  "name": "Name of the server",
  "gateway": "Gateway",
  "host-key-pinned": "Pinned host key",
  "ssh": "SSH",
  "host-key": "Host key",
  "login": "Login",
  "server": "Server",
  "registered": "Registration",
  "service": "Service",
};

/** As wide as the longest title. */
const WIDTH = 18;

export async function clientCheck(invocation: Invocation): Promise<number> {
  const json = invocation.values["json"] === true;
  const tenant = textValue(invocation, "tenant");
  const report = await checkClient({
    file: configFile(invocation),
    // Ctrl-C ends the process as it does by itself: nothing is left half done.
    signal: new AbortController().signal,
    ...(tenant === undefined ? {} : { tenant }),
    onItem: (item) => json || process.stdout.write(lineOf(item)),
  });
  const failed = report.items.filter(({ state }) => state === "failed").length;
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`\n${verdict(failed)}\n`);
  return report.ok ? 0 : 1;
}

function lineOf({ name, tenant, state, detail, hint }: CheckItem): string {
  const title = `${TITLES[name] ?? name}`.padEnd(WIDTH);
  const about = tenant === null ? "" : `[${tenant}] `;
  const text = state === "skipped" ? paint("dim", `skipped: ${detail}`) : printable(`${about}${detail}`);
  return `${SIGNS[state]()} ${title}  ${text}\n` +
    (hint === undefined ? "" : `  ${"".padEnd(WIDTH)}  ${paint("cyan", "→")} ${printable(hint)}\n`);
}
