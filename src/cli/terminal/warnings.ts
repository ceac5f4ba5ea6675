import process from "node:process";
import type { Log } from "../../observe/log.ts";
import { printable } from "../../text_width.ts";

/** What a daemon would log, for a command to tell on standard error. */
export const warnings = {
  warn: (fields: object | string, sentence?: string) => {
    process.stderr.write(`petit: ${printable(sentence ?? String(fields))}\n`);
  },
} as Pick<Log, "warn">;
