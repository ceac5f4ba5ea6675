/** The end of one tunnel. */
export interface Disconnect {
  /** In milliseconds since 1970. */
  readonly at: number;
  /** Registrations that it carried. */
  readonly ids: readonly string[];
  /** Address of the client. */
  readonly address: string;
  /** How long the tunnel stood, in milliseconds. */
  readonly lasted: number;
  /** Why it ended, as the server saw it. */
  readonly cause: string;
}

/** Disconnects remembered for one registration. */
const KEPT_PER_REGISTRATION = 50;

/** Disconnects remembered altogether; what is older than these is asked of the log. */
const KEPT = 10_000;

/** The last disconnects, in memory, so that "why did it drop?" has an answer without a search in the log. */
export class Disconnects {
  #all: Disconnect[] = [];
  readonly #byId = new Map<string, Disconnect[]>();

  add(disconnect: Disconnect): void {
    this.#all.push(disconnect);
    // Cut now and then, so that one more costs no copy of all.
    if (this.#all.length > 2 * KEPT) this.#all = this.#all.slice(-KEPT);
    for (const id of disconnect.ids) {
      const own = this.#byId.get(id) ?? [];
      own.push(disconnect);
      if (own.length > KEPT_PER_REGISTRATION) own.shift();
      this.#byId.set(id, own);
    }
  }

  /** The last `limit` ones, the newest first. */
  latest(limit: number): Disconnect[] {
    return this.#all.slice(-Math.min(limit, KEPT)).reverse();
  }

  /** Those of one registration, the newest first. */
  of(id: string): Disconnect[] {
    return [...this.#byId.get(id) ?? []].reverse();
  }

  /** Forgets a registration that is gone. */
  forget(id: string): void {
    this.#byId.delete(id);
  }
}
