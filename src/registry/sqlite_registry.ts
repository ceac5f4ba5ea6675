import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { messageOf, PetitError } from "../error.ts";
import type { ClientVitae } from "../tunnel/messages.ts";
import type {
  ImportedRegistration,
  JoinCodeRecord,
  JoinRefusal,
  NewJoinCode,
  Registration,
  RegistrationRequest,
  Registry,
} from "./registry.ts";

const FIRST_ID = 1001;
const FIRST_PORT = 11081;

/** The layout of the database; `PRAGMA user_version` says how many of these have been applied. */
const MIGRATIONS = [
  `CREATE TABLE registrations (
     id INTEGER PRIMARY KEY,
     port INTEGER NOT NULL UNIQUE,
     key TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     brand TEXT NOT NULL,
     vitae TEXT,
     created_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX registrations_of_key ON registrations (fingerprint);
   CREATE TABLE aliases (
     alias TEXT PRIMARY KEY,
     id INTEGER NOT NULL REFERENCES registrations (id) ON DELETE CASCADE
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE join_codes (
     hash TEXT PRIMARY KEY,
     brand TEXT NOT NULL,
     uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
     expires_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE join_uses (
     hash TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     id INTEGER NOT NULL,
     PRIMARY KEY (hash, fingerprint)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE highest (what TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   INSERT INTO highest VALUES ('id', ${FIRST_ID - 1}), ('port', ${FIRST_PORT - 1});`,
  // Tenants; join codes that can be listed; and what was given back, for the key that had it.
  `ALTER TABLE registrations ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
   ALTER TABLE join_codes ADD COLUMN uses INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE join_codes ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE join_uses_of_tenants (
     hash TEXT NOT NULL,
     fingerprint TEXT NOT NULL,
     tenant TEXT NOT NULL,
     id INTEGER NOT NULL,
     PRIMARY KEY (hash, fingerprint, tenant)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO join_uses_of_tenants SELECT hash, fingerprint, 'default', id FROM join_uses;
   DROP TABLE join_uses;
   ALTER TABLE join_uses_of_tenants RENAME TO join_uses;
   CREATE TABLE released (
     id INTEGER PRIMARY KEY,
     port INTEGER NOT NULL,
     fingerprint TEXT NOT NULL
   ) STRICT;`,
];

interface RegistrationRow {
  id: number;
  port: number;
  key: string;
  fingerprint: string;
  brand: string;
  tenant: string;
  vitae: string | null;
  created_at: number;
}

interface JoinCodeRow {
  hash: string;
  brand: string;
  uses_left: number;
  uses: number;
  created_at: number;
  expires_at: number;
}

/** The registry in one SQLite file, in WAL mode with a sync for every commit. */
export class SqliteRegistry implements Registry {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Opens the file at `path`, making it if needed. @throws PetitError `registry-unusable` */
  constructor(path: string) {
    try {
      // Made by hand so that it is never readable by others, not even for a moment.
      if (!existsSync(path)) writeFileSync(path, "", { mode: 0o600, flag: "a" });
      this.#db = new DatabaseSync(path);
      this.#db.exec(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
      );
      this.#migrate();
      chmodSync(path, 0o600);
    } catch (error) {
      if (error instanceof PetitError) throw error;
      throw new PetitError("registry-unusable", `Cannot use the registry "${path}": ${messageOf(error)}`, {
        hint: "Restore the file from a backup, or move it away to begin with an empty registry",
        cause: error,
      });
    }
  }

  registrations(): Registration[] {
    const aliases = new Map<number, string[]>();
    for (const row of this.#all<{ id: number; alias: string }>("SELECT id, alias FROM aliases ORDER BY alias")) {
      const list = aliases.get(row.id);
      if (list) list.push(row.alias);
      else aliases.set(row.id, [row.alias]);
    }
    return this.#all<RegistrationRow>("SELECT * FROM registrations ORDER BY id").map((row) =>
      fromRow(row, aliases.get(row.id) ?? [])
    );
  }

  nextPort(): number {
    return this.#highest("port") + 1;
  }

  register(request: RegistrationRequest): Registration {
    return this.#transaction(() => {
      const known = this.#alreadyRegistered(request);
      if (known !== undefined) return known;
      if (request.joinHash !== null) this.#useJoinCode(request.joinHash, request);
      const { id, port } = this.#givenBack(request) ?? this.#nextFree(request.port);
      const { key, fingerprint, vitae, tenant, now } = request;
      this.#run(
        "INSERT INTO registrations (id, port, key, fingerprint, brand, vitae, created_at, tenant) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        ...[id, port, key, fingerprint, vitae.brand, JSON.stringify(vitae), now, tenant],
      );
      if (request.joinHash !== null) {
        this.#run("INSERT OR REPLACE INTO join_uses VALUES (?, ?, ?, ?)", request.joinHash, fingerprint, tenant, id);
      }
      return this.#byId(id) as Registration;
    });
  }

  unregister(id: string): void {
    this.#transaction(() => {
      const registration = this.#byId(Number(id));
      if (registration === undefined) throw unknownRegistration(id);
      const { port, fingerprint } = registration;
      this.#run("INSERT OR REPLACE INTO released VALUES (?, ?, ?)", Number(id), port, fingerprint);
      this.#run("DELETE FROM registrations WHERE id = ?", Number(id));
    });
  }

  import(registrations: readonly ImportedRegistration[], now: number): number {
    return this.#transaction(() => {
      let added = 0;
      for (const registration of registrations) if (this.#importOne(registration, now)) added++;
      return added;
    });
  }

  #importOne({ id, port, key, fingerprint, brand, aliases, vitae }: ImportedRegistration, now: number): boolean {
    const known = this.#byId(Number(id));
    const conflict = (what: string) =>
      new PetitError("import-conflict", `Registration ${id} cannot be taken in: ${what}`, {
        hint: "Nothing was changed. Import into an empty registry, or take the conflicting registration away first",
      });
    if (known !== undefined) {
      if (known.fingerprint === fingerprint && known.port === port) return false;
      throw conflict(`the id belongs to another key or has another port (${known.port})`);
    }
    if (this.#portTaken(port)) throw conflict(`port ${port} belongs to another registration`);
    this.#run(
      "INSERT INTO registrations (id, port, key, fingerprint, brand, vitae, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      ...[Number(id), port, key, fingerprint, brand, vitae === null ? null : JSON.stringify(vitae), now],
    );
    for (const alias of aliases) {
      if (this.#get("SELECT 1 FROM aliases WHERE alias = ?", alias)) {
        throw conflict(`the alias "${alias}" belongs to another registration`);
      }
      this.#run("INSERT INTO aliases VALUES (?, ?)", alias, Number(id));
    }
    this.#run("UPDATE highest SET value = max(value, ?) WHERE what = 'id'", Number(id));
    this.#run("UPDATE highest SET value = max(value, ?) WHERE what = 'port'", port);
    return true;
  }

  setVitae(fingerprint: string, vitae: ClientVitae): void {
    this.#run("UPDATE registrations SET vitae = ? WHERE fingerprint = ?", JSON.stringify(vitae), fingerprint);
  }

  addAlias(id: string, alias: string): void {
    this.#transaction(() => {
      if (this.#byId(Number(id)) === undefined) {
        throw unknownRegistration(id);
      }
      const holder = this.#get<{ id: number }>("SELECT id FROM aliases WHERE alias = ?", alias);
      if (holder !== undefined && holder.id !== Number(id)) {
        throw new PetitError("alias-taken", `The alias "${alias}" belongs to registration ${holder.id}`);
      }
      this.#run("INSERT OR IGNORE INTO aliases VALUES (?, ?)", alias, Number(id));
    });
  }

  removeAlias(id: string, alias: string): void {
    if (this.#run("DELETE FROM aliases WHERE alias = ? AND id = ?", alias, Number(id)) === 0) {
      throw new PetitError("alias-unknown", `Registration "${id}" has no alias "${alias}"`);
    }
  }

  addJoinCode({ hash, brand, usesLeft, expiresAt, createdAt = 0 }: NewJoinCode): void {
    this.#run(
      "INSERT INTO join_codes (hash, brand, uses_left, expires_at, uses, created_at) VALUES (?, ?, ?, ?, ?, ?)",
      ...[hash, brand, usesLeft, expiresAt, usesLeft, createdAt],
    );
  }

  joinCode(hash: string): JoinCodeRecord | undefined {
    const row = this.#get<JoinCodeRow>("SELECT * FROM join_codes WHERE hash = ?", hash);
    return row && fromJoinCodeRow(row);
  }

  joinCodes(): JoinCodeRecord[] {
    return this.#all<JoinCodeRow>("SELECT * FROM join_codes ORDER BY created_at DESC, hash").map(fromJoinCodeRow);
  }

  revokeJoinCode(hash: string): JoinCodeRecord {
    return this.#transaction(() => {
      const prefix = /^[0-9a-f]{1,64}$/.test(hash) ? hash : "-";
      const rows = this.#all<JoinCodeRow>("SELECT * FROM join_codes WHERE hash GLOB ? LIMIT 2", `${prefix}*`);
      const [row] = rows;
      if (row === undefined) throw new PetitError("join-code-unknown", `There is no join code "${hash}"`);
      if (rows.length > 1) {
        throw new PetitError("join-code-ambiguous", `"${hash}" is the beginning of more than one join code`);
      }
      this.#run("DELETE FROM join_codes WHERE hash = ?", row.hash);
      return fromJoinCodeRow(row);
    });
  }

  forgetJoinCodes(before: number): void {
    this.#transaction(() => {
      this.#run("DELETE FROM join_codes WHERE expires_at < ?", before);
      this.#run("DELETE FROM join_uses WHERE hash NOT IN (SELECT hash FROM join_codes)");
    });
  }

  version(): number {
    return this.#get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0;
  }

  close(): void {
    this.#db.close();
  }

  /** What the key asks for and already has, or what it was given when its first answer got lost. */
  #alreadyRegistered(request: RegistrationRequest): Registration | undefined {
    const { preferred, joinHash, fingerprint } = request;
    const asked = preferred && /^\d{1,15}$/.test(preferred.id) ? this.#byId(Number(preferred.id)) : undefined;
    if (asked?.fingerprint === fingerprint) return asked;
    if (joinHash === null) return undefined;
    const use = this.#get<{ id: number }>(
      "SELECT id FROM join_uses WHERE hash = ? AND fingerprint = ? AND tenant = ?",
      joinHash,
      fingerprint,
      request.tenant,
    );
    return use && this.#byId(use.id);
  }

  /** What the key asks for and gave back earlier, now its own again. */
  #givenBack({ preferred, fingerprint }: RegistrationRequest): { id: number; port: number } | undefined {
    if (preferred === null || !/^\d{1,15}$/.test(preferred.id)) return undefined;
    const released = this.#get<{ id: number; port: number }>(
      "SELECT id, port FROM released WHERE id = ? AND fingerprint = ?",
      Number(preferred.id),
      fingerprint,
    );
    if (released === undefined) return undefined;
    this.#run("DELETE FROM released WHERE id = ?", released.id);
    return this.#portTaken(released.port) ? undefined : released;
  }

  /** An id that was never given away, and the port. @throws PetitError `port-taken` */
  #nextFree(port: number): { id: number; port: number } {
    const id = this.#highest("id") + 1;
    this.#run("UPDATE highest SET value = ? WHERE what = 'id'", id);
    this.#run("UPDATE highest SET value = max(value, ?) WHERE what = 'port'", port);
    if (this.#portTaken(port)) throw new PetitError("port-taken", `Port ${port} belongs to another registration`);
    return { id, port };
  }

  #portTaken(port: number): boolean {
    return this.#get(
      "SELECT 1 FROM registrations WHERE port = ? UNION SELECT 1 FROM released WHERE port = ?",
      port,
      port,
    ) !==
      undefined;
  }

  #useJoinCode(hash: string, { vitae, now }: RegistrationRequest): void {
    const code = this.joinCode(hash);
    const refusal: [JoinRefusal, string] | undefined = code === undefined
      ? ["join-code-unknown", "The server does not know this join code"]
      : code.expiresAt <= now
      ? ["join-code-expired", `This join code expired at ${new Date(code.expiresAt).toISOString()}`]
      : code.usesLeft <= 0
      ? ["join-code-used", "This join code has been used already"]
      : code.brand !== "" && code.brand !== vitae.brand
      ? ["join-code-brand", `This join code is for clients of the brand "${code.brand}", not "${vitae.brand}"`]
      : undefined;
    if (refusal) throw new PetitError(refusal[0], refusal[1]);
    this.#run("UPDATE join_codes SET uses_left = uses_left - 1 WHERE hash = ?", hash);
  }

  #byId(id: number): Registration | undefined {
    const row = this.#get<RegistrationRow>("SELECT * FROM registrations WHERE id = ?", id);
    return row &&
      fromRow(
        row,
        this.#all<{ alias: string }>("SELECT alias FROM aliases WHERE id = ? ORDER BY alias", id).map(({ alias }) =>
          alias
        ),
      );
  }

  #highest(what: "id" | "port"): number {
    return this.#get<{ value: number }>("SELECT value FROM highest WHERE what = ?", what)?.value as number;
  }

  #migrate(): void {
    this.#transaction(() => {
      const applied = this.#get<{ user_version: number }>("PRAGMA user_version")?.user_version ?? 0;
      if (applied > MIGRATIONS.length) {
        throw new PetitError("registry-newer", "The registry was written by a newer petit", {
          hint: "Install that version again",
        });
      }
      for (const migration of MIGRATIONS.slice(applied)) this.#db.exec(migration);
      this.#db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    });
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  #get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return (this.#prepare(sql).get(...values) ?? undefined) as Row | undefined;
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[];
  }

  /** The number of rows changed. */
  #run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepare(sql).run(...values).changes);
  }
}

function fromRow(row: RegistrationRow, aliases: string[]): Registration {
  const { port, key, fingerprint, brand, tenant } = row;
  const vitae = row.vitae === null ? null : JSON.parse(row.vitae) as ClientVitae;
  return { id: String(row.id), port, key, fingerprint, brand, tenant, aliases, vitae, createdAt: row.created_at };
}

function fromJoinCodeRow(row: JoinCodeRow): JoinCodeRecord {
  const { hash, brand, uses } = row;
  return { hash, brand, uses, usesLeft: row.uses_left, createdAt: row.created_at, expiresAt: row.expires_at };
}

function unknownRegistration(id: string): PetitError {
  return new PetitError("registration-unknown", `There is no registration "${id}"`, {
    hint: '"petit server status" lists them',
  });
}
