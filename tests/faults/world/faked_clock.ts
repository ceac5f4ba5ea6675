import { globSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Scope, temporaryFolder } from "../../world/world.ts";

/** libfaketime (Debian: faketime), which shifts the clock of one process; undefined where it is not installed. */
const library = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1")[0];

export const hasFakedClock = library !== undefined;

/** The clock of the processes that are started with `env`. The monotonic clock stays right, as it does when a clock is set. */
export class FakedClock {
  readonly env: Record<string, string>;
  readonly #file: string;

  constructor(scope: Scope) {
    if (library === undefined) throw new Error("libfaketime is not installed");
    this.#file = join(temporaryFolder(scope), "offset");
    this.set(0);
    this.env = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Sets it so many seconds before or after the true time, at once. */
  set(seconds: number): void {
    writeFileSync(this.#file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }
}
