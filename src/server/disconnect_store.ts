import { PetitError } from "../error.ts";
import { RecordDatabase } from "../observe/record_database.ts";
import { type DisconnectFacts, together } from "./disconnect.ts";

/** Numbers grow in the order in which the server learnt of things; its clock may be set back. */
const LAYOUT = `
  CREATE TABLE disconnects (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, tunnel TEXT NOT NULL, at INTEGER NOT NULL, ids TEXT NOT NULL, address TEXT,
    lasted INTEGER, cause TEXT, client_at INTEGER, client_cause TEXT, UNIQUE (key, tunnel)) STRICT;
  CREATE INDEX disconnects_by_key ON disconnects (key, number)`;

interface Row {
  number: number;
  key: string;
  tunnel: string;
  at: number;
  ids: string;
  address: string | null;
  lasted: number | null;
  cause: string | null;
  client_at: number | null;
  client_cause: string | null;
}

/** A row, and whose tunnel it was. */
export interface StoredDisconnect {
  /** Fingerprint of the client's key. */
  readonly key: string;
  readonly facts: DisconnectFacts;
}

/** The ends of tunnels in one SQLite file. Every call is synchronous, and throws what SQLite says. */
export class DisconnectStore {
  readonly #db: RecordDatabase;
  readonly #keptPerKey: number;
  #count = 0;

  /** Opens the file at `path`, making it if needed. @throws PetitError `disconnects-newer`, or what SQLite says */
  constructor(path: string, keptPerKey: number) {
    this.#keptPerKey = keptPerKey;
    this.#db = new RecordDatabase(path, {
      sql: LAYOUT,
      newer: () => new PetitError("disconnects-newer", "The record of disconnects was written by a newer petit"),
    });
    this.#recount();
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Runs `work` as one transaction: all of it is written, or nothing. */
  transaction(work: () => void): void {
    try {
      this.#db.transaction(work);
    } catch (error) {
      this.#recount();
      throw error;
    }
  }

  #recount(): void {
    this.#count = this.#db.get<{ count: number }>("SELECT count(*) AS count FROM disconnects")?.count ?? 0;
  }

  /** Adds what is known of the end of a tunnel to what is there; the oldest of the key goes where it has too many. */
  put(key: string, told: DisconnectFacts): void {
    const row = this.#db.get<Row>("SELECT * FROM disconnects WHERE key = ? AND tunnel = ?", key, told.tunnel);
    const facts = row === undefined ? told : together(factsOf(row), told);
    const { tunnel, at, ids, address, lasted, cause, clientAt, clientCause } = facts;
    this.#db.run(
      "INSERT OR REPLACE INTO disconnects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      row?.number ?? null,
      key,
      tunnel,
      at,
      JSON.stringify(ids),
      address,
      lasted === null ? null : Math.round(lasted),
      cause,
      clientAt,
      clientCause,
    );
    if (row !== undefined) return;
    const beyond = "SELECT number FROM disconnects WHERE key = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2";
    const deleted = this.#db.run(
      `DELETE FROM disconnects WHERE key = ?1 AND number <= (${beyond})`,
      ...[key, this.#keptPerKey],
    );
    this.#count += 1 - deleted;
  }

  /** Those of a key, the newest first. */
  of(key: string): DisconnectFacts[] {
    return this.#db.all<Row>("SELECT * FROM disconnects WHERE key = ? ORDER BY number DESC", key).map(factsOf);
  }

  /** The last `limit` ones of all keys, the newest first. */
  latest(limit: number): StoredDisconnect[] {
    return this.#db.all<Row>("SELECT * FROM disconnects ORDER BY number DESC LIMIT ?", limit)
      .map((row) => ({ key: row.key, facts: factsOf(row) }));
  }

  /** Forgets a registration of a key, and what concerned nothing else. */
  forget(key: string, id: string): void {
    for (const row of this.#db.all<Row>("SELECT * FROM disconnects WHERE key = ?", key)) {
      const ids = idsOf(row);
      if (!ids.includes(id)) continue;
      const left = ids.filter((one) => one !== id);
      if (left.length > 0) {
        this.#db.run("UPDATE disconnects SET ids = ? WHERE number = ?", JSON.stringify(left), row.number);
      } else this.#count -= this.#db.run("DELETE FROM disconnects WHERE number = ?", row.number);
    }
  }

  /** Forgets the `limit` oldest ones. */
  forgetOldest(limit: number): void {
    const oldest = "SELECT number FROM disconnects ORDER BY number LIMIT ?";
    this.#count -= this.#db.run(`DELETE FROM disconnects WHERE number IN (${oldest})`, limit);
  }

  close(): void {
    this.#db.close();
  }
}

function factsOf(row: Row): DisconnectFacts {
  const { tunnel, at, address, lasted, cause, client_at: clientAt, client_cause: clientCause } = row;
  return { at, tunnel, ids: idsOf(row), address, lasted, cause, clientAt, clientCause };
}

/** None where the disk has damaged them: one row must not keep the others from being read. */
function idsOf({ ids }: Row): string[] {
  try {
    const read: unknown = JSON.parse(ids);
    return Array.isArray(read) ? read.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}
