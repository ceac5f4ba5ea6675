import { emptyLineAt, headEnd } from "./head.ts";
import { MessageError } from "./message_error.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/** Bytes up to which the room for a head begins. */
const FIRST_ROOM = 4096;

/** Puts the head of a message together that comes in pieces, however small they are, and looks at each byte once. */
export class GatheredHead {
  readonly #most: number;
  readonly #skipsEmptyLine: boolean;
  #room: Buffer = NOTHING;
  #length = 0;

  /** @param most bytes of a head; `skipsEmptyLine` as a server does before a request */
  constructor(most: number, skipsEmptyLine: boolean) {
    this.#most = most;
    this.#skipsEmptyLine = skipsEmptyLine;
  }

  /** What has come of a head that is not complete. */
  get partial(): Buffer {
    return this.#room.subarray(0, this.#length);
  }

  /**
   * Takes bytes.
   *
   * @returns the head with the empty line that ends it, and what is behind it; undefined as long as it is not complete
   * @throws MessageError where it is too large, or a line does not end as it has to
   */
  take(bytes: Buffer): { readonly head: Buffer; readonly rest: Buffer } | undefined {
    let whole = bytes;
    const searched = this.#length;
    if (searched > 0) {
      this.#append(bytes);
      whole = this.partial;
    }
    const skipped = this.#skipsEmptyLine ? emptyLineAt(whole) : 0;
    if (skipped > 0) whole = whole.subarray(skipped);
    const end = headEnd(whole, Math.max(0, searched - skipped));
    if ((end < 0 ? whole.length : end) > this.#most) {
      throw new MessageError("The head of a message is too large", "head-too-large", 431);
    }
    if (end < 0) {
      if (searched === 0 || skipped > 0) {
        this.#length = 0;
        this.#append(whole);
      }
      return undefined;
    }
    this.#length = 0;
    this.#room = NOTHING;
    return { head: whole.subarray(0, end), rest: whole.subarray(end) };
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const room = Buffer.allocUnsafe(Math.max(length, FIRST_ROOM, 2 * this.#room.length));
      this.#room.copy(room, 0, 0, this.#length);
      this.#room = room;
    }
    this.#room.set(bytes, this.#length);
    this.#length = length;
  }
}
