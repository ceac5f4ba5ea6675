/** Milliseconds before something refused is asked for again; doubled each time, and half of it left to chance. */
const FIRST = 1000;

/** Asks again, later and later, for what has been refused to some tenants of a tunnel that goes on for the others. */
export class AskAgain {
  readonly #longest: () => number;
  readonly #ask: () => void;
  #wait = FIRST;
  #timer: NodeJS.Timeout | undefined;

  /** @param longest milliseconds between two times at most */
  constructor(longest: () => number, ask: () => void) {
    this.#longest = longest;
    this.#ask = ask;
  }

  /** It has been asked for. @param refused whether something was refused */
  asked(refused: boolean): void {
    clearTimeout(this.#timer);
    if (!refused) return this.stop();
    const wait = Math.min(this.#wait, this.#longest());
    this.#wait = 2 * wait;
    this.#timer = setTimeout(this.#ask, wait * (1 + Math.random()) / 2);
  }

  /** Nothing is to be asked for any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#wait = FIRST;
  }
}
