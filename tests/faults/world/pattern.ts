import { type Cipheriv, createCipheriv, createHash } from "node:crypto";

/** Bytes that a seed determines and that repeat nowhere: whatever is lost, doubled or exchanged changes the hash. */
export class Pattern {
  readonly #stream: Cipheriv;

  constructor(seed: string) {
    const key = createHash("sha256").update(seed).digest().subarray(0, 16);
    this.#stream = createCipheriv("aes-128-ctr", key, Buffer.alloc(16));
  }

  next(bytes: number): Buffer {
    return this.#stream.update(Buffer.alloc(bytes));
  }
}

/** The first `bytes` bytes of a seed's pattern. */
export function patternOf(seed: string, bytes: number): Buffer {
  return new Pattern(seed).next(bytes);
}

/** SHA-256, in hex. */
export function hashOfBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
