/** Pieces up to this size are put together before they are written: one system call is worth more than one copy. */
const GATHER_BELOW = 64 * 1024;

/** Where the bytes go; false asks to wait. */
export interface Output {
  write(bytes: Buffer): boolean;
}

/** The pieces of an answer that have come at the same time, which are written together. */
export class GatheredOutput {
  readonly #to: Output;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(to: Output) {
    this.#to = to;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }

  /** Writes what has been gathered. @returns false where more should wait */
  flush(): boolean {
    const pieces = this.#pieces;
    if (pieces.length === 0) return true;
    const total = this.#bytes;
    this.#pieces = [];
    this.#bytes = 0;
    if (pieces.length === 1) return this.#to.write(pieces[0] as Buffer);
    if (total <= GATHER_BELOW) return this.#to.write(Buffer.concat(pieces, total));
    let more = true;
    for (const piece of pieces) more = this.#to.write(piece);
    return more;
  }
}
