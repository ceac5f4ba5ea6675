import { Buffer } from "node:buffer";

/** Bytes for which there is room at first. */
const LEAST = 256;

/** Bytes that come in pieces, kept in one: kept apart, pieces of one byte would cost a hundred times their size. */
export class GrowingBuffer {
  #room: Buffer | undefined;
  #size = 0;

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** @param piece is copied: it may lie in the memory of its packet */
  add(piece: Buffer): void {
    const size = this.#size + piece.length;
    let room = this.#room;
    if (room === undefined || room.length < size) {
      // Twice as much each time: each byte is moved once on average.
      room = Buffer.allocUnsafeSlow(Math.max(LEAST, size, 2 * this.#size));
      this.#room?.copy(room, 0, 0, this.#size);
      this.#room = room;
    }
    piece.copy(room, this.#size);
    this.#size = size;
  }

  /** All of it; nothing is kept. */
  take(): Buffer {
    const all = this.#room?.subarray(0, this.#size) ?? Buffer.alloc(0);
    this.#room = undefined;
    this.#size = 0;
    return all;
  }
}
