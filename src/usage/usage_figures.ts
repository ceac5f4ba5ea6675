import type { LatencyBins } from "./latency.ts";
import { type Outcome, outcomeOf } from "./outcome.ts";

/** Mergeable figures of some time of some registration, or of all of a brand. */
export class UsageFigures {
  /** Connections to the reverse port. */
  connections = 0;
  /** Bytes from callers, and to them. */
  bytesIn = 0;
  bytesOut = 0;
  /** Requests by `outcomeKey`. */
  readonly outcomes: Map<number, number>;
  /** What went wrong, by code. */
  readonly errors: Map<string, number>;
  /** Milliseconds until a service's answer began. */
  readonly latency: LatencyBins;

  constructor(
    outcomes: Iterable<[number, number]> = [],
    errors: Iterable<[string, number]> = [],
    latency: Iterable<[number, number]> = [],
  ) {
    this.outcomes = new Map(outcomes);
    this.errors = new Map(errors);
    this.latency = new Map(latency);
  }

  merge(other: UsageFigures): void {
    this.connections += other.connections;
    this.bytesIn += other.bytesIn;
    this.bytesOut += other.bytesOut;
    addAll(this.outcomes, other.outcomes);
    addAll(this.errors, other.errors);
    addAll(this.latency, other.latency);
  }

  get requests(): number {
    let total = 0;
    for (const count of this.outcomes.values()) total += count;
    return total;
  }

  /** Requests with one of these outcomes, and with this status if one is named. */
  count(outcomes: readonly Outcome[], status?: number): number {
    let total = 0;
    for (const [key, count] of this.outcomes) {
      const found = outcomeOf(key);
      if (outcomes.includes(found.outcome) && (status === undefined || found.status === status)) total += count;
    }
    return total;
  }

  /** Requests by class of status: "2xx" and so on; "none" where no answer was sent. */
  get statusClasses(): Record<string, number> {
    const classes: Record<string, number> = {};
    for (const [key, count] of this.outcomes) {
      const first = Math.floor(outcomeOf(key).status / 100);
      const name = first === 0 ? "none" : `${first}xx`;
      classes[name] = (classes[name] ?? 0) + count;
    }
    return classes;
  }
}

/** Adds one to a count. */
export function addOne<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function addAll<Key>(into: Map<Key, number>, from: Map<Key, number>): void {
  for (const [key, count] of from) into.set(key, (into.get(key) ?? 0) + count);
}
