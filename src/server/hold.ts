import { OpenSet } from "../platform/open_set.ts";
import type { Served, Tunnels } from "./tunnels.ts";

/** Settings of holding, read anew each time. */
export interface HoldLimits {
  /** Milliseconds that a caller waits for a tunnel that is away; 0 holds nobody. */
  readonly holdFor: number;
  /** Callers that may wait at the same time: altogether, and for one registration. */
  readonly maxHeld: number;
  readonly maxHeldPerRegistration: number;
  /** Bytes of their requests that may wait in memory, altogether. */
  readonly maxHeldSize: number;
}

interface Waiting {
  readonly id: string;
  readonly size: number;
  readonly timer: NodeJS.Timeout;
  readonly done: (served: Served | undefined) => void;
}

/**
 * Callers of registrations whose tunnel is away. Nothing of theirs has been sent anywhere yet, so waiting for the client to
 * come back costs nothing but time, and most tunnels that go come back at once.
 */
export class Hold {
  readonly #tunnels: Pick<Tunnels, "of">;
  readonly #limits: HoldLimits;
  readonly #byId = new Map<string, Set<Waiting>>();
  readonly #all = new OpenSet<Waiting>();
  #bytes = 0;
  #closed = false;
  /** Since the start: callers who went through in the end, who waited in vain, and who could not wait because too many did. */
  readonly counts = { served: 0, timeout: 0, refused: 0 };

  /** @param tunnels tells when one is there again, by `onServed` */
  constructor(tunnels: Pick<Tunnels, "of"> & { onServed: (served: Served) => void }, limits: HoldLimits) {
    this.#tunnels = tunnels;
    this.#limits = limits;
    tunnels.onServed = (served) => this.#release(served);
  }

  /** How many wait now. */
  get size(): number {
    return this.#all.size;
  }

  /** Settles when nobody waits. */
  empty(): Promise<void> {
    return this.#all.empty();
  }

  /**
   * Waits for the tunnel of a registration.
   *
   * @param size bytes that wait in memory
   * @param until when the caller has waited long enough, in milliseconds of `performance.now()`
   * @param done told once, at once perhaps: the tunnel, or undefined where none came, or nobody may wait
   * @returns a function for a caller that has left: nobody is told then
   */
  wait(id: string, size: number, until: number, done: (served: Served | undefined) => void): () => void {
    const time = until - performance.now();
    const own = this.#byId.get(id) ?? new Set();
    const { maxHeld, maxHeldPerRegistration, maxHeldSize } = this.#limits;
    if (time <= 0 || this.#closed) {
      done(undefined);
      return () => {};
    }
    if (this.#all.size >= maxHeld || own.size >= maxHeldPerRegistration || this.#bytes + size > maxHeldSize) {
      this.counts.refused++;
      done(undefined);
      return () => {};
    }
    const timer = setTimeout(() => {
      this.#remove(waiting);
      this.counts.timeout++;
      done(undefined);
    }, time);
    const waiting = { id, size, timer, done };
    this.#byId.set(id, own.add(waiting));
    this.#all.add(waiting);
    this.#bytes += size;
    return () => this.#remove(waiting);
  }

  /** Those who came first go first. */
  #release(served: Served): void {
    const { id } = served.registration;
    for (const waiting of [...this.#byId.get(id) ?? []]) {
      // The tunnel may go again over the first of them.
      if (this.#tunnels.of(id) === undefined) return;
      if (!this.#remove(waiting)) continue;
      this.counts.served++;
      waiting.done(served);
    }
  }

  /** Sends those who wait for a registration away: it is gone. */
  forget(id: string): void {
    for (const waiting of [...this.#byId.get(id) ?? []]) if (this.#remove(waiting)) waiting.done(undefined);
  }

  /** Sends everybody away, and holds nobody any more. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#byId.keys()]) this.forget(id);
  }

  #remove(waiting: Waiting): boolean {
    const { id, size, timer } = waiting;
    const own = this.#byId.get(id);
    if (own?.delete(waiting) !== true) return false;
    if (own.size === 0) this.#byId.delete(id);
    this.#all.delete(waiting);
    this.#bytes -= size;
    clearTimeout(timer);
    return true;
  }
}
