import { createHash } from "node:crypto";

/** One entry of the audit log, to the letter as it was hashed. */
export interface ChainedEntry {
  /** 1 and up, without a gap. */
  readonly seq: number;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly event: string;
  /** A JSON object. */
  readonly facts: string;
  /** Of this entry and all before it: 64 hexadecimal digits. */
  readonly hash: string;
}

/** What stands before the first entry. */
export const NOTHING_BEFORE = "0".repeat(64);

/**
 * The hash of an entry: SHA-256 of the hash before it and of its own parts. Length and place of each part are certain, since none but the last
 * can hold a line feed: so no two entries have the same text.
 */
export function chainHash(before: string, { seq, at, event, facts }: Omit<ChainedEntry, "hash">): string {
  return createHash("sha256").update(`${before}\n${seq}\n${at}\n${event}\n${facts}`).digest("hex");
}
