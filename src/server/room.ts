import { Crowd } from "../platform/crowd.ts";

/** Milliseconds: the head of a request mostly comes one round trip after its connection. */
const KEPT_FOR = 1000;

/** A connection that has a place, in one room or in several. */
export class Place {
  /** Where it comes from. */
  readonly source: string;
  /** Milliseconds of `performance.now()`. */
  readonly since = performance.now();
  /** Whether what it has sent at once could have been read by now: a server that has just stood still has read nothing of anybody. */
  hadItsTurn = false;
  readonly #isIdle: () => boolean;
  readonly #drop: () => void;
  readonly #rooms: Room[] = [];

  /**
   * @param isIdle whether it has shown nothing yet for which it should stay
   * @param drop ends it, when others need its place
   */
  constructor(source: string, isIdle: () => boolean, drop: () => void) {
    this.source = source;
    this.#isIdle = isIdle;
    this.#drop = drop;
    setImmediate(() => setImmediate(() => this.hadItsTurn = true));
  }

  get isIdle(): boolean {
    return this.#isIdle();
  }

  /** @internal for {@link Room} */
  isIn(room: Room): void {
    this.#rooms.push(room);
  }

  /** The connection is gone. */
  leave(): void {
    for (const room of this.#rooms.splice(0)) room.remove(this);
  }

  drop(): void {
    this.leave();
    this.#drop();
  }
}

/**
 * Places for connections. When there is none left, a connection that has shown nothing for a while has to go: the oldest of the source that has
 * most of them. So ten thousand connections that say nothing keep nobody out, and who is being served stays.
 */
export class Room {
  readonly #idle = new Crowd<Place>(KEPT_FOR);
  readonly #counts = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  countOf(source: string): number {
    return this.#counts.get(source) ?? 0;
  }

  /** @returns whether there is room for one more of the source, after others were ended for it perhaps */
  makeFor(source: string, max: number, maxPerSource: number): boolean {
    if (this.countOf(source) >= maxPerSource && !this.#dropOldest(source, source)) return false;
    while (this.#size >= max) {
      const before = this.#idle.size;
      const made = this.#idle.candidates().some((candidate) => this.#dropOldest(candidate, source));
      // Those that turn out not to be idle are passed over: perhaps another source is the greediest then.
      if (!made && this.#idle.size === before) return false;
    }
    return true;
  }

  add(place: Place): void {
    this.#size++;
    this.#counts.set(place.source, this.countOf(place.source) + 1);
    this.#idle.add(place.source, place);
    place.isIn(this);
  }

  /** @internal for {@link Place} */
  remove(place: Place): void {
    this.#size--;
    const left = this.countOf(place.source) - 1;
    if (left === 0) this.#counts.delete(place.source);
    else this.#counts.set(place.source, left);
    this.#idle.delete(place.source, place);
  }

  /** False where the source has none that gives way to another one of the source `by`. */
  #dropOldest(source: string, by: string): boolean {
    this.#oldestIdle(by);
    const place = this.#oldestIdle(source);
    if (!place?.hadItsTurn || !this.#idle.givesWay(source, place.since, performance.now(), by)) return false;
    place.drop();
    return true;
  }

  /** Passes over those that have shown something meanwhile. */
  #oldestIdle(source: string): Place | undefined {
    for (let place = this.#idle.oldestOf(source); place !== undefined; place = this.#idle.oldestOf(source)) {
      if (place.isIdle) return place;
      this.#idle.delete(source, place);
    }
    return undefined;
  }
}
