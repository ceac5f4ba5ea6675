import { GrowingBuffer } from "../../platform/growing_buffer.ts";

/** What comes on the standard input of a session, from its beginning on; of more than a limit nothing is kept. */
export class SessionInput {
  readonly #limit: number;
  readonly #taken = new GrowingBuffer();
  #isTooLong = false;
  #over = false;
  #onOver = (): void => {};

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  take(bytes: Buffer): void {
    if (this.#over) return;
    if (this.#taken.size + bytes.length <= this.#limit) return this.#taken.add(bytes);
    this.#isTooLong = true;
    this.#taken.take();
    this.end();
  }

  /** Nothing more comes, or is waited for. */
  end(): void {
    this.#over = true;
    this.#onOver();
  }

  /** All of it when it has ended; undefined where it is longer than the limit. */
  async all(): Promise<Buffer | undefined> {
    if (!this.#over) await new Promise<void>((resolve) => this.#onOver = resolve);
    return this.#isTooLong ? undefined : this.#taken.take();
  }
}
