import { setTimeout as sleep } from "node:timers/promises";
import { PetitError } from "../../error.ts";
import type { Registration } from "../../registry/registry.ts";

/** Milliseconds between the beginnings of two releases of ports of the same key. */
const EVERY = 1000;

/** Releases of ports of a key that may be waiting or under way. */
const MAX_OF_KEY = 8;

/** Of one key. */
interface Turns {
  count: number;
  last: Promise<unknown>;
  /** When the next one may begin, in milliseconds of `performance.now()`. */
  next: number;
}

/** That ports are released one after the other: each release is a walk through all processes, and a client may ask for it as often as it likes. */
export class ReleaseTurns {
  readonly #every: number;
  readonly #keys = new Map<string, Turns>();
  /** Registrations whose ports are being released, or are about to be. */
  readonly #busy = new Set<string>();

  /** @param every milliseconds */
  constructor(every = EVERY) {
    this.#every = every;
  }

  /**
   * Releases ports of a key when it is its turn.
   *
   * @throws PetitError `port-held` where that is under way already, or too many wait; and as `release`
   */
  async take(registrations: readonly Registration[], release: () => Promise<void>): Promise<void> {
    const [first] = registrations;
    if (first === undefined) return;
    const { fingerprint } = first;
    const busy = registrations.find(({ id }) => this.#busy.has(id));
    if (busy !== undefined) throw new PetitError("port-held", `Port ${busy.port} is being freed already`);
    const turns = this.#keys.get(fingerprint) ?? { count: 0, last: Promise.resolve(), next: -Infinity };
    if (turns.count >= MAX_OF_KEY) {
      throw new PetitError("port-held", `Port ${first.port} is held, and this client has ports freed too often`);
    }
    turns.count++;
    this.#keys.set(fingerprint, turns);
    for (const { id } of registrations) this.#busy.add(id);
    const released = turns.last.then(async () => {
      const wait = turns.next - performance.now();
      if (wait > 0) await sleep(wait);
      turns.next = performance.now() + this.#every;
      await release();
    }).finally(() => {
      turns.count--;
      for (const { id } of registrations) this.#busy.delete(id);
      this.#forget(fingerprint, turns);
    });
    turns.last = released.catch(() => {
      // Its caller is told.
    });
    await released;
  }

  #forget(fingerprint: string, turns: Turns): void {
    if (turns.count > 0) return;
    setTimeout(() => {
      if (turns.count === 0 && this.#keys.get(fingerprint) === turns) this.#keys.delete(fingerprint);
    }, this.#every).unref();
  }
}
