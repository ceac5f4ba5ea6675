import { seeded } from "../../faults/world/random.ts";

/** Random numbers from 0 up to 1 that the bytes themselves determine: an input that is kept says all that a case needs. */
export function chanceOf(bytes: Buffer): () => number {
  let hash = 0x811c9dc5;
  const step = Math.max(1, bytes.length >> 8);
  for (let at = 0; at < bytes.length; at += step) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  return seeded(hash ^ bytes.length);
}

/** The same bytes in pieces, as a network may hand them over: few large ones, or many of a byte or two. */
export function piecesOf(bytes: Buffer, chance: () => number): Buffer[] {
  const largest = chance() < 0.3 ? 2 : 1 + Math.floor(chance() * Math.max(8, bytes.length));
  // A long input byte by byte is the same work for every byte: its first part is enough.
  const least = bytes.length > 4096 ? 16 : 1;
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(least, 1 + Math.floor(chance() * largest));
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
