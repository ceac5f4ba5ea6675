import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { MIGRATIONS } from "./sqlite_layout.ts";

/** The registry's file: opened, brought to the layout of today, in WAL mode with a sync for every commit. */
export class SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file at `path`, making it if needed. @throws PetitError `registry-unusable` or `registry-newer` */
  constructor(path: string) {
    this.#path = path;
    let db: DatabaseSync | undefined;
    try {
      // Made by hand so that it is never readable by others, not even for a moment.
      if (!existsSync(path)) writeFileSync(path, "", { mode: 0o600, flag: "a" });
      this.#db = db = new DatabaseSync(path);
      this.#db.exec(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
      );
      this.#migrate();
      chmodSync(path, 0o600);
    } catch (error) {
      db?.close();
      throw unusable("use", path, error);
    }
  }

  #migrate(): void {
    this.transaction(() => {
      const applied = this.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
      if (applied > MIGRATIONS.length) {
        throw new PetitError("registry-newer", "The registry was written by a newer petit", {
          hint: "Install that version again",
        });
      }
      for (const migration of MIGRATIONS.slice(applied)) this.#db.exec(migration);
      this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    });
  }

  /** All of `work` or nothing of it. @throws PetitError `registry-unusable` where the file cannot be changed */
  transaction<T>(work: () => T): T {
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#db.exec("ROLLBACK");
      } catch {
        // It has rolled back by itself, as it does on a full disk, or has not begun.
      }
      throw isOfSqlite(error) ? unusable("change", this.#path, error) : error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  /** The first row. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return (this.#prepare(sql).get(...values) ?? undefined) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** The number of rows changed. @throws PetitError `registry-unusable` where the file cannot be changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    try {
      return Number(this.#prepare(sql).run(...values).changes);
    } catch (error) {
      throw isOfSqlite(error) ? unusable("change", this.#path, error) : error;
    }
  }

  close(): void {
    this.#db.close();
  }
}

function isOfSqlite(error: unknown): boolean {
  return systemCode(error) === "ERR_SQLITE_ERROR";
}

function unusable(what: "use" | "change", path: string, error: unknown): PetitError {
  if (error instanceof PetitError) return error;
  return new PetitError("registry-unusable", `Cannot ${what} the registry "${path}": ${messageOf(error)}`, {
    hint: hintFor(error),
    cause: error,
  });
}

/** By SQLite's words: not every runtime tells its result code. */
function hintFor(error: unknown): string {
  const text = messageOf(error);
  // On a full disk even the start of a transaction fails, with the second of these.
  if (/\bfull\b|ENOSPC|disk I\/O error/.test(text)) return "Check that the disk has room";
  if (/\block(ed)?\b/.test(text)) return "Another process is changing it; try again";
  if (/unable to open|readonly/.test(text) || !isOfSqlite(error)) {
    return "Check that the folder is there, and that this user may write both the file and the folder";
  }
  return "Restore the file from a backup, or move it away to begin with an empty registry";
}
