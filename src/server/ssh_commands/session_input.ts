/** What comes on the standard input of a session, from its beginning on; of more than a limit nothing is kept. */
export class SessionInput {
  readonly #limit: number;
  #pieces: Buffer[] = [];
  #size = 0;
  #over = false;
  #onOver = (): void => {};

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  take(bytes: Buffer): void {
    if (this.#over) return;
    this.#size += bytes.length;
    // The piece lies in the memory of its packet.
    if (this.#size <= this.#limit) this.#pieces.push(Buffer.from(bytes));
    else this.end();
  }

  /** Nothing more comes, or is waited for. */
  end(): void {
    this.#over = true;
    this.#onOver();
  }

  /** All of it when it has ended; undefined where it is longer than the limit. */
  async all(): Promise<Buffer | undefined> {
    if (!this.#over) await new Promise<void>((resolve) => this.#onOver = resolve);
    const pieces = this.#pieces;
    this.#pieces = [];
    return this.#size > this.#limit ? undefined : Buffer.concat(pieces);
  }
}
