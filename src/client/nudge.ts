/** A way to end somebody's waiting. One that is given while nobody waits ends the next waiting at once. */
export class Nudge {
  #given = false;
  #wake: (() => void) | undefined;

  give(): void {
    this.#given = true;
    this.#wake?.();
  }

  /**
   * Waits for a nudge, or until the milliseconds (Infinity for none) have passed or `signal` is aborted.
   * @returns whether a nudge was given; it is used up then
   */
  async wait(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#given && !signal.aborted) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener("abort", this.#wake);
        if (milliseconds !== Infinity) timer = setTimeout(resolve, milliseconds);
      });
      clearTimeout(timer);
      signal.removeEventListener("abort", this.#wake as () => void);
      this.#wake = undefined;
    }
    const given = this.#given;
    this.#given = false;
    return given;
  }
}
