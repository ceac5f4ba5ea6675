import { join } from "node:path";
import pino from "pino";
import { messageOf } from "../error.ts";
import { lastLines } from "./last_lines.ts";
import { type Log, type LogLevel, logOptions } from "./log.ts";
import { LogTail } from "./log_tail.ts";
import { OnceAMinute } from "./once_a_minute.ts";
import { RotatingFile } from "./rotating_file.ts";
import { stderrLog } from "./stderr_log.ts";

export interface LogSettings {
  readonly level: LogLevel;
  /** Whose log: that of the server goes to "server.log". */
  readonly name: "server" | "client";
  /** The folder of the log files; "" keeps none. */
  readonly folder: string;
  /** Bytes at which the file is put away. */
  readonly maxSize: number;
  /** How many files that were put away are kept. */
  readonly maxFiles: number;
  /** Whether the lines go to standard error as well: for people on a terminal, as JSON elsewhere. */
  readonly stderr: boolean;
}

/** The log of a daemon. */
export interface OpenLog {
  readonly log: Log;
  /** From now on, for this log and all its children. */
  setLevel(level: LogLevel): void;
  readonly tail: LogTail;
  /** Writes what is left to the file and closes it. Later lines go to standard error only. */
  close(): Promise<void>;
}

/**
 * Opens the log of a daemon: JSON lines in `FOLDER/NAME.log` ("server.1.log" is the file before, and so on), readable by their owner
 * only. A disk that is full later on does not disturb the daemon: there is one warning, what is lost is counted, and the count is
 * logged when writing works again.
 *
 * @throws PetitError `log-unwritable` where the file cannot be written
 */
export function openLog({ level, name, folder, maxSize, maxFiles, stderr }: LogSettings): OpenLog {
  const tail = new LogTail();
  const toStderr = stderr ? stderrLog() : undefined;
  const path = folder === "" ? undefined : join(folder, `${name}.log`);
  if (path !== undefined) { for (const line of lastLines(path)) tail.push(line); }
  const file = path === undefined
    ? undefined
    : new RotatingFile({ file: path, maxSize, maxFiles, ...tellOfTrouble(path, () => log) });
  const log = pino(logOptions(level), {
    write(line: string) {
      file?.write(line);
      tail.push(line.slice(0, -1));
      toStderr?.(line);
    },
  });
  return {
    log,
    // Children without a level of their own have their parent's.
    setLevel: (wanted) => void (log.level = wanted),
    tail,
    close: async () => await file?.close(),
  };
}

/** Says in the log, not too often, what becomes of one of its files. */
export function tellOfTrouble(path: string, log: () => Log) {
  const noise = new OnceAMinute();
  return {
    onTrouble: (kind: "write" | "rotate", error: unknown) =>
      noise.tell(kind, (repeated) =>
        log().warn(
          { code: kind === "write" ? "log-unwritable" : "log-not-rotated", file: path, repeated },
          kind === "write"
            ? `Cannot write the log file "${path}": ${messageOf(error)}; everything else goes on`
            : `Cannot put the log file "${path}" away, it goes on growing: ${messageOf(error)}`,
        )),
    onRecovered: (lost: number) =>
      lost > 0
        ? log().warn(
          { code: "log-lost", file: path, lost },
          `${lost} lines could not be written to "${path}" and are lost`,
        )
        : log().info({ file: path }, `The log file "${path}" can be written again; no line is lost`),
  };
}
