import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { PetitError } from "../error.ts";
import { giveToOwner } from "../platform/give_to_owner.ts";

/** What a record is laid out like. */
export interface RecordLayout {
  /** Makes the tables of layout 1; it sets nothing else. */
  readonly sql: string;
  /** Thrown where the file has a later layout. */
  newer(): PetitError;
  /** Milliseconds to wait for another process that writes; 0 by default, since that would hold all callers. */
  readonly patience?: number;
}

/**
 * A SQLite file with what a daemon has seen: nothing in it is worth waiting for. It waits for no lock, unless its
 * layout says so, and syncs at checkpoints only. Every call is synchronous, and throws what SQLite says.
 */
export class RecordDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file at `path`, making it if needed. @throws PetitError `layout.newer()`, or what SQLite says */
  constructor(path: string, layout: RecordLayout) {
    // Made by hand so that it is never readable by others.
    if (!existsSync(path)) {
      writeFileSync(path, "", { mode: 0o600, flag: "a" });
      // SQLite gives the files beside it to the same owner.
      giveToOwner(dirname(path), path);
    }
    this.#db = new DatabaseSync(path);
    try {
      this.#db.exec(
        `PRAGMA busy_timeout = ${layout.patience ?? 0}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;`,
      );
      this.transaction(() => {
        const version = this.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
        if (version > 1) throw layout.newer();
        if (version === 0) this.#db.exec(`${layout.sql}; PRAGMA user_version = 1;`);
      });
      chmodSync(path, 0o600);
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Runs `work` as one transaction: all of it is written, or nothing. */
  transaction(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      try {
        this.#db.exec("ROLLBACK");
      } catch {
        // A full disk has rolled it back already.
      }
      throw error;
    }
  }

  /** Runs `work`, which only reads, on the file as it is at this moment. */
  snapshot<Result>(work: () => Result): Result {
    this.#db.exec("BEGIN");
    try {
      return work();
    } finally {
      this.#db.exec("COMMIT");
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  /** The first row. */
  get<Row>(sql: string, ...values: (string | number | null)[]): Row | undefined {
    return (this.#prepare(sql).get(...values) ?? undefined) as Row | undefined;
  }

  all<Row>(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** The number of rows changed. */
  run(sql: string, ...values: (string | number | null)[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }

  close(): void {
    this.#db.close();
  }
}
