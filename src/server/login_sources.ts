/** What is remembered of where logins come from. Moments are milliseconds of the guard's clock. */
export class LoginSource {
  /** When its failures are made up for. */
  owes = 0;
  /** Clients of it that are logged in. */
  live = 0;
  /** The most that were at a time, as long as it is known. */
  peak = 0;
  /** When a client of it was logged in last; undefined for a stranger. */
  knownAt: number | undefined;
  /** Connections that are not logged in. */
  startups = 0;
}

/** Sources remembered at a time, of strangers and of others each: an attacker chooses addresses, not our memory. */
const MAX_REMEMBERED = 65_536;

/** Milliseconds for which a source is known after its last client left. */
const KNOWN_FOR = 3_600_000;

/** All sources, the longest unused first. Strangers never drive out those that had a client logged in. */
export class LoginSources {
  readonly #strangers = new Map<string, LoginSource>();
  readonly #known = new Map<string, LoginSource>();

  get size(): number {
    return this.#strangers.size + this.#known.size;
  }

  /** @returns what is remembered; undefined where that is nothing */
  find(name: string, now: number): LoginSource | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return this.#strangers.get(name);
    if (known.live > 0 || now - (known.knownAt as number) < KNOWN_FOR) return known;
    // It becomes a stranger again.
    this.#known.delete(name);
    known.knownAt = undefined;
    known.peak = 0;
    if (!isEmpty(known, now)) remember(this.#strangers, name, known);
    return known;
  }

  findOrAdd(name: string, now: number): LoginSource {
    const source = this.find(name, now) ?? new LoginSource();
    remember(source.knownAt === undefined ? this.#strangers : this.#known, name, source);
    return source;
  }

  /** A client of it is logged in, or was until now. */
  isKnown(name: string, source: LoginSource, now: number): void {
    this.#strangers.delete(name);
    source.knownAt = now;
    source.peak = Math.max(source.peak, source.live);
    remember(this.#known, name, source);
  }

  /** Forgets a source of which there is nothing to remember. */
  tidy(name: string, source: LoginSource, now: number): void {
    if (source.knownAt === undefined && isEmpty(source, now)) this.#strangers.delete(name);
  }
}

function isEmpty({ startups, live, owes }: LoginSource, now: number): boolean {
  return startups === 0 && live === 0 && owes <= now;
}

function remember(all: Map<string, LoginSource>, name: string, source: LoginSource): void {
  all.delete(name);
  all.set(name, source);
  if (all.size > MAX_REMEMBERED) all.delete(all.keys().next().value as string);
}
