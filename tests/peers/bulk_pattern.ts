import { createHash } from "node:crypto";

/**
 * A megabyte, roughly, that repeats throughout a body. Its length is a prime: bytes that are lost or out of order do not
 * line up with it again.
 */
export const PATTERN: Buffer = (() => {
  const bytes = Buffer.alloc(1_000_003);
  for (let at = 0; at < bytes.length; at += 32) {
    createHash("sha256").update(String(at)).digest().copy(bytes, at);
  }
  return bytes;
})();
