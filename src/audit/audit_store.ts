import { randomBytes } from "node:crypto";
import { PetitError } from "../error.ts";
import { RecordDatabase } from "../observe/record_database.ts";
import { type ChainedEntry, chainHash, NOTHING_BEFORE } from "./audit_chain.ts";
import type { AuditEvent } from "./audit_event.ts";

/**
 * `anchor` is what stands before the first entry that is kept. The triggers are against mistakes: whoever may write the file can drop them,
 * and is found out by the chain.
 */
const LAYOUT = `
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, facts TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
  CREATE TABLE anchor (seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
  INSERT INTO anchor VALUES (0, '${NOTHING_BEFORE}');
  CREATE TRIGGER entries_stay_as_they_are BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
  CREATE TRIGGER entries_stay BEFORE DELETE ON entries WHEN OLD.seq > (SELECT seq FROM anchor)
    BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END`;

/** An entry before it has a place in the log. */
export interface NewEntry {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly event: AuditEvent;
  /** A JSON object. */
  readonly facts: string;
}

/** The audit log in one SQLite file, which several processes may add to. Every call is synchronous, and throws what SQLite says. */
export class AuditStore {
  readonly #db: RecordDatabase;

  /** Opens the file at `path`, making it if needed. @param patience milliseconds to wait for another process that writes @throws PetitError `audit-newer`, or what SQLite says */
  constructor(path: string, now: () => number = Date.now, patience = 0) {
    this.#db = new RecordDatabase(path, {
      sql: LAYOUT,
      newer: () => new PetitError("audit-newer", "The audit log was written by a newer petit"),
      patience,
    });
    if (this.head.seq > 0) return;
    // So that a log which was put in the place of another has another head from the first entry on.
    const facts = JSON.stringify({ log: randomBytes(16).toString("hex") });
    this.#db.transaction(() => {
      if (this.head.seq === 0) this.#append({ at: now(), event: "log-begun", facts });
    });
  }

  /** The last entry's place and hash; those before the first one where there is none. */
  get head(): { seq: number; hash: string } {
    return this.#db.get<{ seq: number; hash: string }>(
      "SELECT seq, hash FROM entries UNION ALL SELECT seq, hash FROM anchor ORDER BY seq DESC LIMIT 1",
    ) ?? { seq: 0, hash: NOTHING_BEFORE };
  }

  /** What stands before the first entry that is kept. */
  get anchor(): { seq: number; hash: string } {
    return this.#db.get<{ seq: number; hash: string }>("SELECT seq, hash FROM anchor") ??
      { seq: 0, hash: NOTHING_BEFORE };
  }

  /** Adds entries, all or none of them. */
  add(entries: readonly NewEntry[]): void {
    this.#db.transaction(() => {
      for (const entry of entries) this.#append(entry);
    });
  }

  #append({ at, event, facts }: NewEntry): void {
    const { seq: last, hash: before } = this.head;
    const seq = last + 1;
    const hash = chainHash(before, { seq, at, event, facts });
    this.#db.run("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", seq, at, event, facts, hash);
  }

  /**
   * Takes away the oldest entries, as far as all of them are older than `before`; an entry of its own says which, and their last hash.
   *
   * @param before in milliseconds since 1970
   * @returns how many
   */
  prune(before: number, now: number, atMost: number): number {
    let pruned = 0;
    this.#db.transaction(() => {
      const { seq: first } = this.anchor;
      const kept = this.#db.get<{ seq: number | null }>("SELECT min(seq) AS seq FROM entries WHERE at >= ?", before)
        ?.seq;
      const last = Math.min(kept === null || kept === undefined ? this.head.seq : kept - 1, first + atMost);
      if (last <= first) return;
      const hash = this.#db.get<{ hash: string }>("SELECT hash FROM entries WHERE seq = ?", last)?.hash as string;
      this.#append({ at: now, event: "log-pruned", facts: JSON.stringify({ through: last, hash }) });
      this.#db.run("UPDATE anchor SET seq = ?, hash = ?", last, hash);
      pruned = this.#db.run("DELETE FROM entries WHERE seq <= ?", last);
    });
    return pruned;
  }

  /** Entries in their order. @param after the place that they come after */
  page(after: number, limit: number): ChainedEntry[] {
    return this.#db.all<ChainedEntry>("SELECT * FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", after, limit);
  }

  /** The last entries, the newest first. @param before the place that they come before @param event only those of this name */
  latest(limit: number, before = Number.MAX_SAFE_INTEGER, event?: string): ChainedEntry[] {
    return event === undefined
      ? this.#db.all<ChainedEntry>("SELECT * FROM entries WHERE seq < ? ORDER BY seq DESC LIMIT ?", before, limit)
      : this.#db.all<ChainedEntry>(
        "SELECT * FROM entries WHERE seq < ? AND event = ? ORDER BY seq DESC LIMIT ?",
        ...[before, event, limit],
      );
  }

  /** Runs `work` on the log as it is at this moment, whoever adds to it meanwhile. */
  atOnce<Result>(work: () => Result): Result {
    return this.#db.snapshot(work);
  }

  close(): void {
    this.#db.close();
  }
}
