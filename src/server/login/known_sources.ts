import { readFileSync } from "node:fs";
import { messageOf } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import { writeStateFile } from "../../platform/state_file.ts";
import type { LoginGuard } from "./login_guard.ts";

/** Milliseconds between two looks whether there are others; a killed server forgets those since then. */
const KEEP_EVERY = 30_000;

/** What a line may be: an address, or a network that counts as one. */
const SOURCE = /^[0-9A-Fa-f:.]{2,45}(?:\/\d{1,3})?$/;

export interface KnownSourcesParts {
  readonly guard: LoginGuard;
  readonly file: string;
  readonly log: Log;
  readonly noise: OnceAMinute;
}

/**
 * Where clients are, over restarts: those that come back are no strangers to the next process, and need not wait for their turn. One source a
 * line. Without the file they only wait a little.
 */
export class KnownSources {
  readonly #parts: KnownSourcesParts;
  readonly #timer: NodeJS.Timeout;
  #kept = "";

  constructor(parts: KnownSourcesParts) {
    this.#parts = parts;
    try {
      this.#kept = readFileSync(parts.file, "utf8");
    } catch {
      // There is none yet; why else it cannot be read is told when it is written.
    }
    for (const source of this.#kept.split("\n")) if (SOURCE.test(source)) parts.guard.remember(source);
    this.#timer = setInterval(() => this.keep(), KEEP_EVERY);
    this.#timer.unref();
  }

  /** Writes them down. Never throws. */
  keep(): void {
    const { guard, file, log, noise } = this.#parts;
    const text = guard.known.map((source) => `${source}\n`).join("");
    if (text === this.#kept) return;
    try {
      writeStateFile(file, text);
      this.#kept = text;
    } catch (error) {
      noise.tell("known-sources", () => log.warn({ code: "state-unwritable" }, messageOf(error)));
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.keep();
  }
}
