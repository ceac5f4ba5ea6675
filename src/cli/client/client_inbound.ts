import { existsSync } from "node:fs";
import process from "node:process";
import { inboundLogFile } from "../../client/inbound_log.ts";
import { loadConfig } from "../../config/load.ts";
import { PetitError } from "../../error.ts";
import { lastLines } from "../../observe/last_lines.ts";
import { numberedFile } from "../../observe/numbered_files.ts";
import type { Invocation } from "../commands/command.ts";
import { table } from "../terminal/table.ts";
import { momentText } from "../../time_text.ts";
import { configFile, textValue } from "../values.ts";

/** A line of the log, as far as it is shown. Whoever can write to the file decides what is in it. */
type Line = Readonly<Record<string, unknown>>;

const MOST = 10_000;

/** `petit client inbound`: the last lines of the log of what came in. The client need not run. */
export function clientInbound(invocation: Invocation): number {
  const typed = textValue(invocation, "lines") ?? "20";
  const count = /^\d{1,5}$/.test(typed) ? Number(typed) : 0;
  if (count < 1 || count > MOST) {
    throw new PetitError("usage", `"${typed}" is not a number of lines`, {
      hint: `Wanted: a number from 1 to ${MOST}`,
      exitCode: 2,
    });
  }
  const { logFolder } = loadConfig(configFile(invocation)).config.client;
  const lines = logFolder === "" ? [] : linesOf(inboundLogFile(logFolder), count);
  if (invocation.values["json"] === true) {
    process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  } else if (lines.length === 0) {
    process.stdout.write(`Nothing came in yet${logFolder === "" ? ", or no log is kept: logFolder is empty" : ""}\n`);
  } else process.stdout.write(tableOf(lines));
  return 0;
}

/** The last ones, the oldest first; from the file before too, where the newest has been begun lately. */
function linesOf(file: string, count: number): Line[] {
  const texts: string[] = [];
  for (let number = 0; texts.length < count; number++) {
    const one = number === 0 ? file : numberedFile(file, number);
    if (number > 0 && !existsSync(one)) break;
    texts.unshift(...lastLines(one));
  }
  return texts.slice(-count).flatMap((text) => {
    try {
      const line: unknown = JSON.parse(text);
      return typeof line === "object" && line !== null ? [line as Line] : [];
    } catch {
      return [];
    }
  });
}

function tableOf(lines: readonly Line[]): string {
  const text = (value: unknown) => typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  return table<Line>([
    {
      title: "AT",
      value: ({ time }) => typeof time === "string" && !Number.isNaN(Date.parse(time)) ? momentText(time) : undefined,
    },
    {
      title: "FROM",
      value: ({ by, address, port, forwardedFor }) =>
        by === "probe" ? "probe" : text(forwardedFor) ?? `${text(address)}:${text(port)}`,
      atLeast: 15,
    },
    { title: "TENANT", value: ({ tenant }) => text(tenant) },
    {
      title: "TO",
      value: ({ kind, method, target, service }) =>
        kind === "request" ? `${text(method)} ${text(target)}` : text(service),
      atLeast: 16,
    },
    { title: "IN", value: ({ bytesIn }) => text(bytesIn), right: true },
    { title: "OUT", value: ({ bytesOut }) => text(bytesOut), right: true },
    { title: "MS", value: ({ ms }) => text(ms), right: true },
    {
      title: "OUTCOME",
      value: ({ outcome, status, cause }) =>
        [text(status), text(outcome), cause === undefined ? undefined : `(${text(cause)})`].filter((part) =>
          part !== undefined
        ).join(" "),
      atLeast: 16,
    },
  ], lines);
}
