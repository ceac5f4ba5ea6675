const MINUTE = 60_000;
/** Different things remembered at a time; an attacker chooses addresses, not our memory. */
const MAX_REMEMBERED = 1000;
/** Sources of the same kind that are told of one by one within a minute; the others are told of together. */
const MAX_SOURCES = 50;

/**
 * Keeps what can be repeated from outside from filling the log: the first of its kind is told at once, those that
 * follow within a minute are counted and told as a number with the next one.
 *
 * @param now milliseconds of a clock that nobody sets
 */
export class OnceAMinute {
  readonly #now: () => number;
  /** Kinds are petit's own words. */
  readonly #sources = new Map<string, { readonly since: number; readonly names: Set<string> }>();
  readonly #seen = new Map<string, { since: number; more: number }>();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Calls `tell` with the number of repetitions left out since the last time, or not at all. */
  tell(kind: string, tell: (repeated: number) => void): void {
    const now = this.#now();
    const seen = this.#seen.get(kind);
    if (seen !== undefined && now - seen.since < MINUTE) {
      seen.more++;
      return;
    }
    this.#seen.delete(kind);
    this.#seen.set(kind, { since: now, more: 0 });
    if (this.#seen.size > MAX_REMEMBERED) this.#seen.delete(this.#seen.keys().next().value as string);
    tell(seen?.more ?? 0);
  }

  /** The same for each source of a kind; when there are very many of them, for those that are left together. */
  tellOf(kind: string, source: string, tell: (repeated: number) => void): void {
    const now = this.#now();
    let sources = this.#sources.get(kind);
    if (sources === undefined || now - sources.since >= MINUTE) {
      sources = { since: now, names: new Set() };
      this.#sources.set(kind, sources);
    }
    if (sources.names.size < MAX_SOURCES) sources.names.add(source);
    this.tell(sources.names.has(source) ? `${kind} ${source}` : `${kind} …`, tell);
  }
}
