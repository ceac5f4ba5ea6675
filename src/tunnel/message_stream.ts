import { PetitError } from "../error.ts";
import { GrowingBuffer } from "../platform/growing_buffer.ts";

/** Each message is followed by this byte (ASCII "end of text"). */
const ETX = 0x03;

/** Largest message in bytes. */
const MAX_MESSAGE = 64 * 1024;

/** A message on the wire. */
export function encodeMessage(message: object): Buffer {
  return Buffer.from(`${JSON.stringify(message)}\x03`, "utf8");
}

/** Puts messages together from however the bytes come in. */
export class MessageDecoder {
  readonly #begun = new GrowingBuffer();

  /** Takes bytes and returns the messages they complete, not yet checked. @throws PetitError `message-invalid` */
  take(bytes: Buffer): unknown[] {
    const messages: unknown[] = [];
    let from = 0;
    for (let end = bytes.indexOf(ETX); end >= 0; end = bytes.indexOf(ETX, from)) {
      messages.push(this.#finish(bytes.subarray(from, end)));
      from = end + 1;
    }
    if (from < bytes.length) this.#keep(bytes.subarray(from));
    return messages;
  }

  #keep(piece: Buffer): void {
    if (this.#begun.size + piece.length > MAX_MESSAGE) {
      throw new PetitError("message-invalid", `A message is longer than ${MAX_MESSAGE} bytes`);
    }
    this.#begun.add(piece);
  }

  #finish(last: Buffer): unknown {
    this.#keep(last);
    const text = this.#begun.take().toString("utf8");
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new PetitError("message-invalid", "A message is not JSON", { cause: error });
    }
  }
}
