import { constants, type KeyObject, publicEncrypt, randomBytes, timingSafeEqual } from "node:crypto";

/** Bytes of a prompt. */
const SIZE = 50;

/** Random bytes that only the holder of a key can read: the proof of petit 0.6. */
export class Challenge {
  readonly #bytes = randomBytes(SIZE);
  /** Base64: the bytes, encrypted (RSA-OAEP with SHA-1, the default of node:crypto). */
  readonly prompt: string;

  constructor(key: KeyObject) {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    this.prompt = publicEncrypt({ key, padding, oaepHash: "sha1" }, this.#bytes).toString("base64");
  }

  /** Whether a response, base64, is what was encrypted. */
  isMetBy(response: string): boolean {
    const bytes = Buffer.from(response, "base64");
    return bytes.length === SIZE && timingSafeEqual(bytes, this.#bytes);
  }
}
