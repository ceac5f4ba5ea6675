import { constants, createPublicKey, type KeyObject, publicEncrypt, randomBytes, timingSafeEqual } from "node:crypto";
import { PetitError } from "../../error.ts";

/** Bytes of a prompt. */
const SIZE = 50;

/** Below this many bits an RSA key proves nothing (NIST SP 800-131A); above the other, encrypting to it costs the server too much. */
const LEAST_BITS = 2048;
const MOST_BITS = 8192;

/**
 * A key of a client of 0.6.x, as a registration holds it ("ssh-rsa AAAA…").
 *
 * @throws PetitError `key-refused` where nothing can be proven with it
 */
export function legacyKey(line: string): KeyObject {
  const blob = Buffer.from(line.split(" ")[1] ?? "", "base64");
  // RFC 4253, section 6.6: the name, e and n, each after its length.
  const parts: Buffer[] = [];
  for (let at = 0; at + 4 <= blob.length && parts.length < 3;) {
    const length = blob.readUInt32BE(at);
    parts.push(blob.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const [type, e, n] = parts;
  if (type?.toString("latin1") !== "ssh-rsa" || e === undefined || n === undefined) {
    throw new PetitError("key-refused", "Only an RSA key can be used over the backchannel of petit 0.6");
  }
  const bits = bitsOf(n);
  if (bits < LEAST_BITS || bits > MOST_BITS || bitsOf(e) > 32) {
    throw new PetitError(
      "key-refused",
      `The key has ${bits} bits, and wanted is an RSA key of ${LEAST_BITS} to ${MOST_BITS} bits: take the client's file "key" away and register again`,
    );
  }
  const key = { kty: "RSA", e: e.toString("base64url"), n: n.toString("base64url") };
  try {
    return createPublicKey({ key, format: "jwk" });
  } catch (error) {
    throw new PetitError("key-refused", "The key cannot be used", { cause: error });
  }
}

function bitsOf(number: Buffer): number {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (number.length - first) * 8 - Math.clz32(number[first] as number) + 24;
}

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
