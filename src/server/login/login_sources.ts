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

/**
 * Sources by name. Of two generations the older is forgotten as a whole when the younger is full: to take away the first of a large Map
 * again and again costs more the more it has held.
 */
class Remembered {
  #young = new Map<string, LoginSource>();
  #old = new Map<string, LoginSource>();

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  entries(): [name: string, source: LoginSource][] {
    return [...this.#old, ...this.#young];
  }

  get(name: string): LoginSource | undefined {
    return this.#young.get(name) ?? this.#old.get(name);
  }

  set(name: string, source: LoginSource): void {
    this.#old.delete(name);
    this.#young.set(name, source);
    if (this.#young.size < MAX_REMEMBERED / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(name: string): void {
    this.#young.delete(name);
    this.#old.delete(name);
  }
}

function isStillKnown({ live, knownAt = -Infinity }: LoginSource, now: number): boolean {
  return live > 0 || now - knownAt < KNOWN_FOR;
}

/** All sources. Strangers never drive out those that had a client logged in. */
export class LoginSources {
  readonly #strangers = new Remembered();
  readonly #known = new Remembered();

  get size(): number {
    return this.#strangers.size + this.#known.size;
  }

  /** @returns what is remembered; undefined where that is nothing */
  find(name: string, now: number): LoginSource | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return this.#strangers.get(name);
    if (isStillKnown(known, now)) return known;
    // It becomes a stranger again.
    this.#known.delete(name);
    known.knownAt = undefined;
    known.peak = 0;
    this.#strangers.set(name, known);
    this.tidy(name, known, now);
    return known;
  }

  findOrAdd(name: string, now: number): LoginSource {
    const source = this.find(name, now) ?? new LoginSource();
    (source.knownAt === undefined ? this.#strangers : this.#known).set(name, source);
    return source;
  }

  /** Names of those that have a client, or had one lately. */
  known(now: number): string[] {
    return this.#known.entries().filter(([, source]) => isStillKnown(source, now)).map(([name]) => name);
  }

  /** A client of it is logged in, or was until now. */
  isKnown(name: string, source: LoginSource, now: number): void {
    this.#strangers.delete(name);
    source.knownAt = now;
    source.peak = Math.max(source.peak, source.live);
    this.#known.set(name, source);
  }

  /** Forgets a source of which there is nothing to remember. */
  tidy(name: string, source: LoginSource, now: number): void {
    const { knownAt, startups, live, owes } = source;
    if (knownAt === undefined && startups === 0 && live === 0 && owes <= now) this.#strangers.delete(name);
  }
}
