import { renameSync, rmSync } from "node:fs";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { UsageStore } from "./usage_store.ts";

/** SQLite's result codes (https://sqlite.org/rescode.html). */
const BUSY = 5;
const FULL = 13;

/**
 * The file of the usage record, opened when it is needed and again after whatever went wrong. A file that is damaged is moved
 * aside, and a new one begun: a record of the past must not keep a server from its work.
 */
export class UsageFile {
  readonly path: string;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #noise: OnceAMinute;
  #store: UsageStore | undefined;
  /** What is wrong at the moment; null where nothing is. */
  fault: string | null = null;

  constructor(path: string, log: Log, now: () => number) {
    this.path = path;
    this.#log = log;
    this.#now = now;
    this.#noise = new OnceAMinute(now);
  }

  /** Runs `work` on the open file. @throws PetitError `usage-unusable`, once it has been logged */
  use<T>(work: (store: UsageStore) => T): T {
    for (let moved = false;; moved = true) {
      try {
        this.#store ??= new UsageStore(this.path);
        const result = work(this.#store);
        if (this.fault !== null) this.#log.info({ file: this.path }, "The usage record can be used again");
        this.fault = null;
        return result;
      } catch (error) {
        if (!moved && isDamaged(error) && this.#moveAside(error)) continue;
        this.#failed(error);
        throw new PetitError("usage-unusable", `Cannot use the usage record "${this.path}": ${messageOf(error)}`, {
          hint: "Check that the disk has room and that the file belongs to the server's user",
          cause: error,
        });
      }
    }
  }

  close(): void {
    try {
      this.#store?.close();
    } catch {
      // It is being given up anyway.
    }
    this.#store = undefined;
  }

  #failed(error: unknown): void {
    const code = resultCode(error);
    if (code !== BUSY && code !== FULL) this.close();
    this.fault = messageOf(error);
    this.#noise.tell("fault", (repeated) =>
      this.#log.warn(
        { code: "usage-unusable", file: this.path, repeated },
        `The usage record cannot be used, its figures wait in memory: ${messageOf(error)}`,
      ));
  }

  /** False where even that failed. */
  #moveAside(error: unknown): boolean {
    this.close();
    const aside = `${this.path}.damaged-${new Date(this.#now()).toISOString().replaceAll(/[:.]/g, "-")}`;
    try {
      renameSync(this.path, aside);
      // Without their file they would be taken for a part of the new one.
      for (const companion of ["-wal", "-shm"]) rmSync(this.path + companion, { force: true });
    } catch {
      return false;
    }
    this.#log.error(
      { code: "usage-damaged", file: this.path, movedTo: aside },
      `The usage record was damaged (${messageOf(error)}): it was moved to "${aside}", and a new one begins`,
    );
    return true;
  }
}

/** Not told by number under Deno. */
function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return code === 11 || code === 26 || /malformed|not a database|no such table|no such column/i.test(messageOf(error));
}

/** The primary result code: the low byte of the extended one. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}
