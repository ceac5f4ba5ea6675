import process from "node:process";
import pino from "pino";
import { prettyFactory } from "pino-pretty";

/** Bytes that wait while standard error takes nothing. */
const MAX_WAITING = 1024 * 1024;

/**
 * Writes the lines of a log (JSON) to standard error: lines for people where that is a terminal, JSON lines elsewhere. Never throws:
 * a terminal that was closed, or a full disk behind a redirection, loses lines and nothing else.
 */
export function stderrLog(): (line: string) => void {
  const destination = pino.destination({ dest: 2, sync: true, maxLength: MAX_WAITING });
  destination.on("error", () => {});
  if (!process.stderr.isTTY) return (line) => destination.write(line);
  const colorize = !process.env["NO_COLOR"];
  const pretty = prettyFactory({ colorize, translateTime: "SYS:HH:MM:ss", singleLine: true });
  return (line) => destination.write(pretty(harmless(line)));
}

/** An escape of JSON, or a character that JSON does not escape although terminals obey it or turn the reading direction. */
const SUSPICIOUS = /\\(?:u00[01][\da-f]|.)|[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Has control characters shown as escapes ("\u001b"), so that what a peer calls itself cannot steer the terminal or feign a
 * line. Line feeds stay in stacks, which are petit's own, and tabs everywhere.
 */
export function harmless(line: string): string {
  const message = line.lastIndexOf(',"msg":"');
  return line.replace(SUSPICIOUS, (found, at: number) => {
    if (!found.startsWith("\\")) return `\\\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`;
    if (/^\\(?:u|[bfr]$)/.test(found) || (found === "\\n" && at > message)) return `\\${found}`;
    return found;
  });
}
