import { PetitError } from "../error.ts";
import type { ClientVitae } from "../tunnel/messages.ts";
import { checkedAlias } from "./alias.ts";
import { guardedOpening, type OpenOptions } from "./guarded_opening.ts";
import { HighWaterMark } from "./high_water_mark.ts";
import { highestOf, raiseHighest } from "./highest.ts";
import { aliasConflict, aliasOfAddress, importRegistrations } from "./import_registrations.ts";
import {
  type ImportedRegistration,
  type ImportOptions,
  type ImportResult,
  JOIN_CODES_KEPT,
  type JoinCodeRecord,
  type JoinRefusal,
  MAX_OF_KEY,
  type NewJoinCode,
  type Registration,
  type RegistrationRequest,
  type Registry,
} from "./registry.ts";
import { SqliteAccess } from "./sqlite_access.ts";
import { SqliteDatabase } from "./sqlite_database.ts";

interface RegistrationRow {
  id: number;
  port: number;
  key: string;
  fingerprint: string;
  brand: string;
  tenant: string;
  vitae: string | null;
  bind_address: string | null;
  legacy: number;
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
  readonly access: SqliteAccess;
  readonly #db: SqliteDatabase;

  readonly #mark: HighWaterMark;

  /**
   * Opens the file at `path`, making it if there never was one.
   * @throws PetitError `registry-unusable`, `registry-newer`, or `registry-lost`: it is gone or empty, and ids were given away
   */
  constructor(path: string, options: OpenOptions = {}) {
    this.#mark = new HighWaterMark(path);
    this.#db = new SqliteDatabase(path, guardedOpening(path, this.#mark, options));
    this.access = new SqliteAccess(this.#db, (id) => this.#known(id));
  }

  registrations(): Registration[] {
    const aliases = new Map<number, string[]>();
    for (const row of this.#db.all<{ id: number; alias: string }>("SELECT id, alias FROM aliases ORDER BY alias")) {
      const list = aliases.get(row.id);
      if (list) list.push(row.alias);
      else aliases.set(row.id, [row.alias]);
    }
    return this.#db.all<RegistrationRow>("SELECT * FROM registrations ORDER BY id").map((row) =>
      fromRow(row, aliases.get(row.id) ?? [])
    );
  }

  nextPort(): number {
    this.#db.checkFile();
    return this.#mark.above(highestOf(this.#db)).port + 1;
  }

  register(request: RegistrationRequest): Registration {
    const registration = this.#db.transaction(() => {
      const known = this.#alreadyRegistered(request);
      if (known !== undefined) return known;
      if (request.joinHash !== null) this.#useJoinCode(request.joinHash, request);
      const { key, fingerprint, vitae, tenant, now } = request;
      const before = this.#givenBack(request);
      const legacy = request.legacy === true;
      const ofTenant = before === undefined && request.joinHash === null && !legacy;
      const own = ofTenant ? this.#ofTenant(fingerprint, tenant) : undefined;
      if (own !== undefined) return own;
      this.#refuseMore(fingerprint);
      const { id, port } = before ?? this.#nextFree(request.port);
      this.#db.run(
        "INSERT INTO registrations (id, port, key, fingerprint, brand, vitae, created_at, tenant, legacy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[id, port, key, fingerprint, vitae.brand, JSON.stringify(vitae), now, tenant, Number(legacy)],
      );
      if (request.joinHash !== null) {
        this.#db.run("INSERT OR REPLACE INTO join_uses VALUES (?, ?, ?, ?)", request.joinHash, fingerprint, tenant, id);
      }
      return this.#byId(id) as Registration;
    });
    this.#mark.committed();
    return registration;
  }

  unregister(id: string): Registration {
    return this.#db.transaction(() => {
      const registration = this.#known(id);
      const { port, fingerprint } = registration;
      this.#db.run("INSERT OR REPLACE INTO released VALUES (?, ?, ?)", Number(id), port, fingerprint);
      this.#db.run("DELETE FROM registrations WHERE id = ?", Number(id));
      return registration;
    });
  }

  import(registrations: readonly ImportedRegistration[], options: ImportOptions): ImportResult {
    return importRegistrations(this.#db, this.#mark, registrations, options);
  }

  setVitae(fingerprint: string, vitae: ClientVitae): void {
    this.#db.run(
      "UPDATE registrations SET vitae = ?, brand = CASE WHEN legacy THEN ? ELSE brand END WHERE fingerprint = ?",
      ...[JSON.stringify(vitae), vitae.brand, fingerprint],
    );
  }

  setBindAddress(id: string, address: string): void {
    this.#db.run("UPDATE registrations SET bind_address = ? WHERE id = ?", address, idNumber(id));
  }

  addAlias(id: string, typed: string): void {
    const alias = checkedAlias(typed);
    this.#db.transaction(() => {
      this.#known(id);
      const conflict = aliasConflict(this.#db, Number(id), alias);
      if (conflict !== undefined) {
        throw new PetitError("alias-taken", `Registration ${id} cannot have the alias "${alias}": ${conflict}`);
      }
      this.#db.run("INSERT OR IGNORE INTO aliases VALUES (?, ?)", alias, Number(id));
    });
  }

  removeAlias(id: string, typed: string): void {
    const alias = typed.toLowerCase();
    if (this.#db.run("DELETE FROM aliases WHERE alias = ? AND id = ?", alias, idNumber(id)) === 0) {
      throw new PetitError("alias-unknown", `Registration "${id}" has no alias "${alias}"`);
    }
  }

  addJoinCode({ hash, brand, usesLeft, expiresAt, createdAt = 0 }: NewJoinCode): void {
    this.#db.transaction(() => {
      this.#db.run(
        "INSERT INTO join_codes (hash, brand, uses_left, expires_at, uses, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        ...[hash, brand, usesLeft, expiresAt, usesLeft, createdAt],
      );
      this.#forgetJoinCodes(createdAt - JOIN_CODES_KEPT);
    });
  }

  joinCode(hash: string): JoinCodeRecord | undefined {
    const row = this.#db.get<JoinCodeRow>("SELECT * FROM join_codes WHERE hash = ?", hash);
    return row && fromJoinCodeRow(row);
  }

  hasJoined(hash: string, fingerprint: string, tenant: string): boolean {
    const use = this.#joinUse(hash, fingerprint, tenant);
    return use !== undefined && this.#byId(use.id) !== undefined;
  }

  #joinUse(hash: string, fingerprint: string, tenant: string): { id: number } | undefined {
    return this.#db.get<{ id: number }>(
      "SELECT id FROM join_uses WHERE hash = ? AND fingerprint = ? AND tenant = ?",
      ...[hash, fingerprint, tenant],
    );
  }

  joinCodes(): JoinCodeRecord[] {
    return this.#db.all<JoinCodeRow>("SELECT * FROM join_codes ORDER BY created_at DESC, hash").map(fromJoinCodeRow);
  }

  revokeJoinCode(hash: string): JoinCodeRecord {
    return this.#db.transaction(() => {
      const prefix = /^[0-9a-f]{1,64}$/.test(hash) ? hash : "-";
      const rows = this.#db.all<JoinCodeRow>("SELECT * FROM join_codes WHERE hash GLOB ? LIMIT 2", `${prefix}*`);
      const [row] = rows;
      if (row === undefined) throw new PetitError("join-code-unknown", `There is no join code "${hash}"`);
      if (rows.length > 1) {
        throw new PetitError("join-code-ambiguous", `"${hash}" is the beginning of more than one join code`);
      }
      this.#db.run("DELETE FROM join_codes WHERE hash = ?", row.hash);
      return fromJoinCodeRow(row);
    });
  }

  forgetJoinCodes(before: number): void {
    this.#db.transaction(() => this.#forgetJoinCodes(before));
  }

  #forgetJoinCodes(before: number): void {
    this.#db.run("DELETE FROM join_codes WHERE expires_at < ?", before);
    this.#db.run("DELETE FROM join_uses WHERE hash NOT IN (SELECT hash FROM join_codes)");
  }

  hostKeysKnown(): Map<string, string> {
    const rows = this.#db.all<{ fingerprint: string; host_key: string }>("SELECT * FROM host_keys_known");
    return new Map(rows.map(({ fingerprint, host_key: hostKey }) => [fingerprint, hostKey]));
  }

  setHostKeysKnown(known: ReadonlyMap<string, string | null>): void {
    this.#db.transaction(() => {
      for (const [fingerprint, hostKey] of known) {
        if (hostKey === null) this.#db.run("DELETE FROM host_keys_known WHERE fingerprint = ?", fingerprint);
        else this.#db.run("INSERT OR REPLACE INTO host_keys_known VALUES (?, ?)", fingerprint, hostKey);
      }
    });
  }

  version(): number {
    this.#db.checkFile();
    return this.#db.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0;
  }

  close(): void {
    this.#db.close();
  }

  /** What the key asks for and already has, or what it was given when its first answer got lost. */
  #alreadyRegistered(request: RegistrationRequest): Registration | undefined {
    const { preferred, joinHash, fingerprint } = request;
    const asked = preferred === null ? undefined : this.#byId(idNumber(preferred.id));
    if (asked?.fingerprint === fingerprint) return asked;
    if (joinHash === null) return undefined;
    const use = this.#joinUse(joinHash, fingerprint, request.tenant);
    return use && this.#byId(use.id);
  }

  /** The only registration of a key that goes by that name. Those that were imported may all go by the same one, and tell nothing then. */
  #ofTenant(fingerprint: string, tenant: string): Registration | undefined {
    const rows = this.#db.all<{ id: number }>(
      "SELECT id FROM registrations WHERE fingerprint = ? AND tenant = ? LIMIT 2",
      ...[fingerprint, tenant],
    );
    const [row] = rows;
    return row === undefined || rows.length > 1 ? undefined : this.#byId(row.id);
  }

  /** @throws PetitError `too-many-registrations` */
  #refuseMore(fingerprint: string): void {
    const row = this.#db.get<{ count: number }>(
      "SELECT count(*) AS count FROM registrations WHERE fingerprint = ?",
      fingerprint,
    );
    if ((row?.count ?? 0) < MAX_OF_KEY) return;
    throw new PetitError(
      "too-many-registrations",
      `The key ${fingerprint} has ${MAX_OF_KEY} registrations already, which is as many as a key may have`,
      {
        hint:
          "Unregister those that are not in use, or register with another key: a client in another folder has its own",
      },
    );
  }

  /** What the key asks for and gave back earlier, now its own again. */
  #givenBack({ preferred, fingerprint }: RegistrationRequest): { id: number; port: number } | undefined {
    if (preferred === null) return undefined;
    const released = this.#db.get<{ id: number; port: number }>(
      "SELECT id, port FROM released WHERE id = ? AND fingerprint = ?",
      idNumber(preferred.id),
      fingerprint,
    );
    // Whose callers it would get has been decided anew while it was nobody's.
    if (released === undefined || aliasOfAddress(this.#db, released.id) !== undefined) return undefined;
    this.#db.run("DELETE FROM released WHERE id = ?", released.id);
    return this.#portTaken(released.port) ? undefined : released;
  }

  /** An id that was never given away, and the port. @throws PetitError `port-taken` */
  #nextFree(port: number): { id: number; port: number } {
    const kept = highestOf(this.#db);
    const given = this.#mark.above(kept);
    if (port <= given.port || this.#portTaken(port)) {
      throw new PetitError("port-taken", `Port ${port} belongs to another registration`);
    }
    const next = { id: given.id + 1, port };
    this.#mark.raise(kept, next);
    raiseHighest(this.#db, next);
    return next;
  }

  #portTaken(port: number): boolean {
    return this.#db.get(
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
    this.#db.run("UPDATE join_codes SET uses_left = uses_left - 1 WHERE hash = ?", hash);
  }

  #byId(id: number): Registration | undefined {
    const row = this.#db.get<RegistrationRow>("SELECT * FROM registrations WHERE id = ?", id);
    return row &&
      fromRow(
        row,
        this.#db.all<{ alias: string }>("SELECT alias FROM aliases WHERE id = ? ORDER BY alias", id).map(({ alias }) =>
          alias
        ),
      );
  }

  /** @throws PetitError `registration-unknown` */
  #known(id: string): Registration {
    const registration = this.#byId(idNumber(id));
    if (registration !== undefined) return registration;
    throw new PetitError("registration-unknown", `There is no registration "${id}"`, {
      hint: '"petit server status" lists them',
    });
  }
}

function fromRow(row: RegistrationRow, aliases: string[]): Registration {
  const { port, key, fingerprint, brand, tenant } = row;
  const vitae = row.vitae === null ? null : JSON.parse(row.vitae) as ClientVitae;
  const { bind_address: bindAddress, created_at: createdAt } = row;
  const legacy = row.legacy !== 0;
  return { id: String(row.id), port, key, fingerprint, brand, tenant, aliases, vitae, bindAddress, legacy, createdAt };
}

function fromJoinCodeRow(row: JoinCodeRow): JoinCodeRecord {
  const { hash, brand, uses } = row;
  return { hash, brand, uses, usesLeft: row.uses_left, createdAt: row.created_at, expiresAt: row.expires_at };
}

/** The number of an id as it is written; -1, which nobody has, for anything else. */
function idNumber(id: string): number {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : -1;
}
