import { Buffer } from "node:buffer";

/** The parts of SSH's messages, keys and signatures (RFC 4251, section 5). */

/** A length and the bytes; a text is written in UTF-8. */
export function sshString(bytes: Buffer | string): Buffer {
  const data = typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes;
  return Buffer.concat([uint32(data.length), data]);
}

/** A positive number ("mpint"), which a first bit of 1 would make a negative one. @param bytes the highest first, without zeros before it */
export function sshNumber(bytes: Buffer): Buffer {
  return sshString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

export function uint32(number: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
}

/** Strings, one after another and nothing else; undefined where it is something else, or more than `most` of them. */
export function readStrings(bytes: Buffer, most: number): Buffer[] | undefined {
  const strings: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (strings.length === most || bytes.length - at < 4) return undefined;
    const length = bytes.readUInt32BE(at);
    if (length > bytes.length - at - 4) return undefined;
    strings.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return strings;
}
