import type { RegisterEvent, UsageEntry } from "./usage_store.ts";

/** Registrations that wait to be written; there are never many. */
const MAX_REGISTERS = 10_000;

/**
 * What has been counted and not been written yet. Entries of the same registration and bucket are one; when there are more
 * than the bound allows, the oldest are dropped, and what they held is counted.
 */
export class UsageBacklog {
  /** Requests and raw connections whose figures were lost. */
  dropped = 0;
  #registers: RegisterEvent[] = [];
  readonly #entries = new Map<string, UsageEntry>();
  readonly #bound: number;

  constructor(bound: number) {
    this.#bound = bound;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** In the order in which they are to be written. */
  get entries(): Iterable<UsageEntry> {
    return this.#entries.values();
  }

  get registers(): readonly RegisterEvent[] {
    return this.#registers;
  }

  add(entry: UsageEntry): void {
    const key = `${entry.bucket} ${entry.id} ${entry.brand}`;
    const waiting = this.#entries.get(key);
    if (waiting !== undefined) return waiting.figures.merge(entry.figures);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#bound) this.dropAll(1);
  }

  addRegister(event: RegisterEvent): void {
    if (this.#registers.length < MAX_REGISTERS) this.#registers.push(event);
  }

  registersWritten(): void {
    this.#registers = [];
  }

  /** The first `count` entries have been written. */
  written(count: number): void {
    for (const key of this.#first(count)) this.#entries.delete(key);
  }

  /** Gives up the first `count` entries, or all. */
  dropAll(count = Infinity): void {
    for (const key of this.#first(count)) {
      const { figures } = this.#entries.get(key) as UsageEntry;
      this.dropped += figures.requests + figures.connections;
      this.#entries.delete(key);
    }
  }

  #first(count: number): string[] {
    const keys: string[] = [];
    for (const key of this.#entries.keys()) {
      if (keys.length >= count) break;
      keys.push(key);
    }
    return keys;
  }
}
