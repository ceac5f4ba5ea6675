import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { messageOf } from "../error.ts";
import { OpenedFile } from "./opened_file.ts";
import { damaged, isOfSqlite, newer, unusable } from "./registry_error.ts";
import { MIGRATIONS } from "./sqlite_layout.ts";

/** What is done while the file is opened. */
export interface Opening {
  /** Reads all of it: 8 ms for 10,000 registrations. */
  readonly check: boolean;
  /** Called before the layout is brought up to date, inside its transaction. */
  before(hasTables: boolean): void;
  /** Called after that, inside the same transaction. */
  after(db: SqliteDatabase): void;
}

/** The registry's file: opened, brought to the layout of today, in WAL mode with a sync for every commit. */
export class SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();
  readonly #file: OpenedFile;
  #rescued: string | undefined;

  /** Opens the file at `path`, making it if needed. @throws PetitError `registry-unusable` or `registry-newer`, or what `opening` throws */
  constructor(path: string, opening: Opening) {
    this.#path = path;
    let db: DatabaseSync | undefined;
    try {
      // Made by hand so that it is never readable by others, not even for a moment.
      if (!existsSync(path)) writeFileSync(path, "", { mode: 0o600, flag: "a" });
      this.#db = db = new DatabaseSync(path);
      this.#db.exec(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
      );
      if (opening.check) this.#check();
      this.#file = new OpenedFile(path, () => opening.check ? this.#rescue() : undefined, () => damageOf(path));
      this.#migrate(opening);
      chmodSync(path, 0o600);
    } catch (error) {
      db?.close();
      throw unusable("use", path, error);
    }
  }

  /** @throws PetitError `registry-unusable` */
  #check(): void {
    const finding = this.get<{ integrity_check: string }>("PRAGMA integrity_check(1)")?.integrity_check ?? "no answer";
    if (finding !== "ok") throw damaged(this.#path, finding.split("\n").pop() as string);
  }

  /** Writes all that is in the file to another one, once. @returns its name; undefined where that cannot be done */
  #rescue(): string | undefined {
    if (this.#rescued !== undefined) return this.#rescued;
    const copy = `${this.#path}.rescued-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
    try {
      // SQLite takes an empty file for it, and would make one that others can read.
      writeFileSync(copy, "", { mode: 0o600, flag: "wx" });
      this.#db.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
      return this.#rescued = copy;
    } catch {
      rmSync(copy, { force: true });
      return undefined;
    }
  }

  /** @throws PetitError `registry-replaced` where the file under this name is another one, or is damaged: what is written would be lost */
  checkFile(): void {
    this.#file.check();
  }

  #migrate({ before, after }: Opening): void {
    this.transaction(() => {
      const applied = this.get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
      if (applied > MIGRATIONS.length) throw newer();
      before(applied > 0);
      for (const migration of MIGRATIONS.slice(applied)) this.#db.exec(migration);
      // In any case: one that cannot be written is found now, and not when the next client registers. SQLite begins a transaction on it all the same.
      this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
      after(this);
    });
  }

  /** All of `work` or nothing of it. @throws PetitError `registry-unusable` where the file cannot be changed, `registry-replaced` */
  transaction<T>(work: () => T): T {
    this.checkFile();
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

  /** The first row. @throws PetitError `registry-unusable` */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#told("use", () => this.#prepare(sql).get(...values) ?? undefined) as Row | undefined;
  }

  /** @throws PetitError `registry-unusable` */
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#told("use", () => this.#prepare(sql).all(...values)) as Row[];
  }

  /** The number of rows changed. @throws PetitError `registry-unusable` where the file cannot be changed */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#told("change", () => Number(this.#prepare(sql).run(...values).changes));
  }

  #told<T>(what: "use" | "change", work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw isOfSqlite(error) ? unusable(what, this.#path, error) : error;
    }
  }

  close(): void {
    this.#db.close();
  }
}

/** What another connection finds wrong with a file: one that has it open already answers from memory. 5 ms for 10,000 registrations. */
function damageOf(path: string): string | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    const finding = db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
    return finding === "ok" ? undefined : String(finding);
  } catch (error) {
    return messageOf(error);
  } finally {
    db?.close();
  }
}
