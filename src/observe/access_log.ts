import { join } from "node:path";
import { PetitError } from "../error.ts";
import { combinedLine, jsonLine } from "./access_line.ts";
import type { ExchangeObserver, ExchangeReport } from "./exchange_report.ts";
import type { Log } from "./log.ts";
import { tellOfTrouble } from "./open_log.ts";
import { RotatingFile } from "./rotating_file.ts";

/** What `[server]` says of the access log. */
export interface AccessLogConfig {
  readonly accessLog: "off" | AccessLogSettings["format"];
  readonly logFolder: string;
  readonly logMaxSize: number;
  readonly logMaxFiles: number;
}

/** The access log, or undefined where none is wanted. @throws PetitError `access-log-nowhere`, `log-unwritable` */
export function openAccessLog(config: AccessLogConfig, log: Log): AccessLog | undefined {
  const { accessLog: format, logFolder: folder, logMaxSize: maxSize, logMaxFiles: maxFiles } = config;
  return format === "off" ? undefined : new AccessLog({ format, folder, maxSize, maxFiles }, log);
}

export interface AccessLogSettings {
  /** "combined" has HTTP requests only, "json" connections to reverse ports as well. */
  readonly format: "combined" | "json";
  /** The folder of the log files. */
  readonly folder: string;
  /** Bytes at which the file is put away. */
  readonly maxSize: number;
  /** How many files that were put away are kept. */
  readonly maxFiles: number;
}

/** Milliseconds for which lines are gathered: nobody reads along as closely as in the log. */
const GATHER_FOR = 100;

/**
 * The log of what was done for callers: `FOLDER/access.log`, rotated as the log is. A request costs the making of its line; writing waits,
 * and lines for which there is no room any more are counted and told in the log.
 */
export class AccessLog implements ExchangeObserver {
  readonly #file: RotatingFile;
  readonly #format: AccessLogSettings["format"];

  /** @throws PetitError `access-log-nowhere`, `log-unwritable` */
  constructor({ format, folder, maxSize, maxFiles }: AccessLogSettings, log: Log) {
    if (folder === "") {
      throw new PetitError("access-log-nowhere", "Cannot keep an access log without a folder for it", {
        hint: 'Set [server] logFolder to a folder, or accessLog to "off"',
      });
    }
    const file = join(folder, "access.log");
    this.#format = format;
    this.#file = new RotatingFile({ file, maxSize, maxFiles, delay: GATHER_FOR, ...tellOfTrouble(file, () => log) });
  }

  exchangeDone(report: ExchangeReport): void {
    if (this.#format === "json") this.#file.write(jsonLine(report));
    else if (report.kind !== "tcp") this.#file.write(combinedLine(report));
  }

  /** Writes what is left and closes the file. */
  close(): Promise<void> {
    return this.#file.close();
  }
}
