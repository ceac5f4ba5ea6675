import { readFileSync } from "node:fs";

/** What part of the open files is for others than callers: clients, and the process's own. */
const FOR_OTHERS = 0.4;

/** What part, and how many of them at least, are for what the process opens beside connections. */
const OWN_PART = 0.05;
const OWN = 64;

/** What part may be connections of clients that are not logged in. */
const FOR_STARTUPS = 0.1;

/**
 * How many files and sockets a process may have open, shared out beforehand. A runtime that has no descriptor left for a connection tries to
 * accept it again at once, for ever: it takes a whole processor, and whoever would be served next waits.
 */
export class OpenFiles {
  /** Infinity where the system does not say. */
  readonly limit: number;
  /** Connections that count, by who counts them. */
  readonly #counted: (() => number)[] = [];

  constructor(limit: number = softLimit()) {
    this.limit = limit;
  }

  /** @param count how many files a part of the daemon has open now */
  count(count: () => number): void {
    this.#counted.push(count);
  }

  get #left(): number {
    return this.limit - Math.max(OWN, this.limit * OWN_PART) - this.#counted.reduce((sum, count) => sum + count(), 0);
  }

  /** Whether a client may have one more. */
  get hasOneForClient(): boolean {
    return this.limit === Infinity || this.#left > 0;
  }

  /** How many callers may have, with those that they have. @param callers how many these are */
  mostForCallers(callers: number): number {
    if (this.limit === Infinity) return Infinity;
    return Math.max(1, Math.floor(Math.min(this.limit * (1 - FOR_OTHERS), callers + this.#left)));
  }

  get mostForStartups(): number {
    return Math.max(1, Math.floor(this.limit * FOR_STARTUPS));
  }
}

function softLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity;
  }
}
