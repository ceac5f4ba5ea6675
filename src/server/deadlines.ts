/** How exact a deadline is, in milliseconds. */
const TICK = 100;

/** Something that must not take for ever. */
export interface Timed {
  /** When it has taken too long, in milliseconds of `performance.now()`; Infinity for never. */
  deadline: number;
  /** Called once for each deadline that passes; it sets the next. */
  expired(): void;
}

/** One timer for all callers' connections: setting a deadline is an assignment, several for each request. */
export class Deadlines {
  readonly #timed = new Set<Timed>();
  #timer: NodeJS.Timeout | undefined;

  add(timed: Timed): void {
    this.#timed.add(timed);
    this.#timer ??= setInterval(() => this.#check(), TICK);
  }

  remove(timed: Timed): void {
    this.#timed.delete(timed);
    if (this.#timed.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #check(): void {
    const now = performance.now();
    for (const timed of this.#timed) {
      if (timed.deadline > now) continue;
      timed.deadline = Infinity;
      timed.expired();
    }
  }
}
