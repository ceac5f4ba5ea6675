/** Requests of one registration that are begun in one turn of the event loop: what 32 of them cost is about 2 ms. */
export const PER_TURN = 32;

/**
 * Has the registrations take turns. All requests that came while one turn of the event loop was at work are read in the next one: a flood
 * of hundreds on one registration would make that turn last for tens of milliseconds, for everybody. So of each registration only so many
 * are begun in a turn, and the others after those of all others.
 */
export class FairTurns {
  readonly #begun = new Map<string, number>();
  readonly #waiting = new Map<string, (() => void)[]>();
  #scheduled = false;
  readonly #onFault: (error: unknown) => void;

  /** @param onFault told what a beginning throws that was put off: the others begin all the same */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Calls `begin`, now or in one of the next turns; those of one registration in the order in which they came. */
  enter(id: string, begin: () => void): void {
    const begun = this.#begun.get(id) ?? 0;
    if (begun >= PER_TURN) {
      const waiting = this.#waiting.get(id);
      if (waiting === undefined) this.#waiting.set(id, [begin]);
      else waiting.push(begin);
      return;
    }
    this.#begun.set(id, begun + 1);
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#next);
    }
    begin();
  }

  readonly #next = (): void => {
    this.#scheduled = false;
    this.#begun.clear();
    for (const [id, waiting] of this.#waiting) {
      const now = waiting.splice(0, PER_TURN);
      if (waiting.length === 0) this.#waiting.delete(id);
      this.#begun.set(id, now.length);
      for (const begin of now) {
        try {
          begin();
        } catch (error) {
          this.#onFault(error);
        }
      }
    }
    if (this.#begun.size === 0 || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#next);
  };
}
