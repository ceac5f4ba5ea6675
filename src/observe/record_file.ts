import { renameSync, rmSync } from "node:fs";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "./log.ts";
import { OnceAMinute } from "./once_a_minute.ts";

/** SQLite's result codes (https://sqlite.org/rescode.html). */
const BUSY = 5;
const FULL = 13;

/** A record of the past: what it is called, and how it is opened. */
export interface RecordKind<Store> {
  /** Of its codes: "usage" leads to `usage-unusable` and `usage-damaged`. */
  readonly code: string;
  /** "The usage record". */
  readonly name: string;
  /** What becomes of new entries while it cannot be used: "its figures wait in memory". */
  readonly meanwhile: string;
  open(path: string): Store;
}

/**
 * The file of a record, opened when it is needed and again after whatever went wrong. A file that is damaged is moved
 * aside, and a new one begun: a record of the past must not keep a server from its work.
 */
export class RecordFile<Store extends { close(): void }> {
  readonly path: string;
  readonly #kind: RecordKind<Store>;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #noise: OnceAMinute;
  #store: Store | undefined;
  /** What is wrong at the moment; null where nothing is. */
  fault: string | null = null;

  constructor(path: string, kind: RecordKind<Store>, log: Log, now: () => number) {
    this.path = path;
    this.#kind = kind;
    this.#log = log;
    this.#now = now;
    this.#noise = new OnceAMinute();
  }

  /** Runs `work` on the open file. @throws PetitError `CODE-unusable`, once it has been logged */
  use<T>(work: (store: Store) => T): T {
    const { code, name } = this.#kind;
    for (let moved = false;; moved = true) {
      try {
        this.#store ??= this.#kind.open(this.path);
        const result = work(this.#store);
        if (this.fault !== null) this.#log.info({ file: this.path }, `${name} can be used again`);
        this.fault = null;
        return result;
      } catch (error) {
        if (!moved && isDamaged(error) && this.#moveAside(error)) continue;
        this.#failed(error);
        throw new PetitError(`${code}-unusable`, `${name} "${this.path}" cannot be used: ${messageOf(error)}`, {
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
        { code: `${this.#kind.code}-unusable`, file: this.path, repeated },
        `${this.#kind.name} cannot be used, ${this.#kind.meanwhile}: ${messageOf(error)}`,
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
      { code: `${this.#kind.code}-damaged`, file: this.path, movedTo: aside },
      `${this.#kind.name} was damaged (${messageOf(error)}): it was moved to "${aside}", and a new one begins`,
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
