const NOW = (): number => performance.now();

/** Bytes that a channel may always have on the way. */
const LEAST = 128 * 1024;

/** For how many milliseconds of the link's speed more may be on the way. */
const QUEUE = 1000;

/** Milliseconds over which the speed is measured. */
const MEASURED_OVER = 100;

/** Bytes after which a receiver opens the window again, at first and at most. */
const FIRST_STEP = 32 * 1024;

/** Milliseconds between two openings of the window: sooner, and they become rarer; later, and they become more frequent. */
const SOON = 20;
const LATE = 200;

/**
 * How much one channel may have on its way, so that what the others send on the same link does not wait behind two megabytes: at 64 KB/s they
 * would for half a minute. It is what the link takes in a second, as the peer's openings of the window show, and a little more.
 *
 * Both ends have to be petit: a peer that opens its window only after a megabyte would never do so. {@link WindowSteps} is the other half.
 */
export class Pace {
  readonly #first: number;
  /** The window as it was left. */
  #left: number;
  #limit = LEAST;
  #largest = 0;
  #since = 0;
  #granted = 0;

  readonly #now: () => number;

  /** @param window bytes that the peer granted at first @param now milliseconds */
  constructor(window: number, now: () => number = NOW) {
    this.#first = this.#left = window;
    this.#now = now;
  }

  /** Bytes that may be sent now. @param window bytes that the peer allows */
  room(window: number): number {
    if (window > this.#left) this.#opened(window - this.#left);
    this.#left = window;
    return Math.max(0, Math.min(window, Math.floor(this.#limit) - (this.#first - window)));
  }

  /** Bytes were sent. @param window what the peer allows now */
  sent(window: number): void {
    if (this.#left === this.#first) this.#since = this.#now();
    this.#left = window;
  }

  #opened(bytes: number): void {
    this.#granted += bytes;
    // A step of the receiver's that is larger than what may be on the way would be waited for for ever.
    this.#largest = Math.max(this.#largest, bytes);
    const passed = this.#now() - this.#since;
    if (passed >= MEASURED_OVER) {
      this.#limit = LEAST + this.#granted / passed * QUEUE;
      this.#granted = 0;
      this.#since += passed;
    }
    this.#limit = Math.max(this.#limit, 2 * this.#largest);
  }
}

/** When a receiver opens the window again: often on a slow link, so that the sender sees how fast it is, and rarely on a fast one. */
export class WindowSteps {
  #step = FIRST_STEP;
  #at = 0;
  readonly #most: number;
  readonly #now: () => number;

  /** @param most bytes @param now milliseconds */
  constructor(most: number, now: () => number = NOW) {
    this.#most = most;
    this.#now = now;
  }

  /** @param used bytes since the window was opened last */
  isDue(used: number): boolean {
    if (used < this.#step) return false;
    const now = this.#now();
    const passed = now - this.#at;
    this.#at = now;
    if (passed < SOON) this.#step = Math.min(2 * this.#step, this.#most);
    else if (passed > LATE) this.#step = Math.max(this.#step / 2, FIRST_STEP);
    return true;
  }
}
