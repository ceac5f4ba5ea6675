import { netBlock } from "../../platform/net_block.ts";

/** Wrong passwords that one address may send in a {@link WINDOW}. */
const MOST = 10;

/** Milliseconds. */
const WINDOW = 60_000;

/** Whoever has one IPv6 address has 2^64 of them: the first half says who. */
const BLOCKS = { ipv4: 32, ipv6: 64 };

/** Addresses that are remembered. */
const MAX_ADDRESSES = 20_000;

interface Failures {
  count: number;
  /** When they are forgotten, in milliseconds. */
  until: number;
}

/** Counts wrong passwords by the address that they come from, so that guessing is slow. */
export class FailureThrottle {
  readonly #now: () => number;
  readonly #byAddress = new Map<string, Failures>();

  /** @param now a clock, in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * Counts an attempt before it is known what comes of it, since many come at the same time.
   * @returns 0 where it may be made; otherwise in how many seconds another one may
   */
  begin(address: string): number {
    const network = netBlock(address, BLOCKS);
    const now = this.#now();
    const failures = this.#byAddress.get(network);
    if (failures === undefined || failures.until <= now) {
      this.#byAddress.delete(network);
      if (this.#byAddress.size >= MAX_ADDRESSES) this.#forget(now);
      this.#byAddress.set(network, { count: 1, until: now + WINDOW });
      return 0;
    }
    if (failures.count >= MOST) return Math.max(1, Math.ceil((failures.until - now) / 1000));
    failures.count++;
    return 0;
  }

  /** An attempt was right, or was never made: it does not count. */
  takeBack(address: string): void {
    const failures = this.#byAddress.get(netBlock(address, BLOCKS));
    if (failures !== undefined && failures.count > 0) failures.count--;
  }

  /** What is over; where nothing is, what has been there the longest. */
  #forget(now: number): void {
    for (const [network, { until }] of this.#byAddress) if (until <= now) this.#byAddress.delete(network);
    const [oldest] = this.#byAddress.keys();
    if (oldest !== undefined && this.#byAddress.size >= MAX_ADDRESSES) this.#byAddress.delete(oldest);
  }
}
