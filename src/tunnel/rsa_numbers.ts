import type { Buffer } from "node:buffer";
import { readStrings } from "./ssh_strings.ts";

/** Below this many bits an RSA key proves nothing (NIST SP 800-131A). */
export const LEAST_RSA_BITS = 2048;

/** What an RSA key consists of, the highest byte first; zeros may stand before it. */
export interface RsaNumbers {
  readonly exponent: Buffer;
  readonly modulus: Buffer;
}

/** The numbers of an RSA key in SSH's binary format (RFC 4253, section 6.6); undefined where it is something else. */
export function rsaNumbers(blob: Buffer): RsaNumbers | undefined {
  const [type, exponent, modulus] = readStrings(blob, 3) ?? [];
  if (type?.toString("latin1") !== "ssh-rsa" || exponent === undefined || modulus === undefined) return undefined;
  return { exponent, modulus };
}

/** How many bits a number has from its first 1 on. @param number the highest byte first */
export function bitsOf(number: Buffer): number {
  const first = number.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (number.length - first) * 8 - Math.clz32(number[first] as number) + 24;
}
