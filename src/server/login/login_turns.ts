/** How it is with one that waits: "free" may begin at once, "over" not at all any more. */
export type TurnState = "waits" | "free" | "over";

type Later = (call: () => void, milliseconds: number) => void;

interface Waiting {
  readonly begin: () => void;
  state(): TurnState;
}

/**
 * The logins of strangers begin one after the other: each takes the server milliseconds of cryptography, and those of a crowd together would
 * hold up everybody else.
 */
export class LoginTurns {
  readonly #spacing: () => number;
  readonly #now: () => number;
  readonly #later: Later;
  #waiting: Waiting[] = [];
  #begun = -Infinity;
  #isDue = false;

  /**
   * @param spacing milliseconds between two of them, asked anew for each
   * @param now milliseconds of a clock that nobody sets
   * @param later as setTimeout
   */
  constructor(spacing: () => number, now: () => number, later: Later = setTimeout) {
    this.#spacing = spacing;
    this.#now = now;
    this.#later = later;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Calls `begin` when it is its turn, at once where nobody waits, unless `state` says "over" by then. */
  enter(begin: () => void, state: () => TurnState): void {
    this.#waiting.push({ begin, state });
    this.#next();
  }

  /** Some of those that wait may be free now: they begin. */
  release(): void {
    const free = this.#waiting.filter(({ state }) => state() === "free");
    this.#waiting = this.#waiting.filter(({ state }) => state() === "waits");
    for (const { begin } of free) begin();
  }

  #next(): void {
    if (this.#isDue) return;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (first.state() === "over") {
        this.#waiting.shift();
        continue;
      }
      const left = this.#begun + this.#spacing() - this.#now();
      if (left > 0) {
        // A login that fails meanwhile may have made the spacing longer: it is asked again then.
        this.#isDue = true;
        return this.#later(() => {
          this.#isDue = false;
          this.#next();
        }, left);
      }
      this.#waiting.shift();
      this.#begun = this.#now();
      first.begin();
    }
  }
}
