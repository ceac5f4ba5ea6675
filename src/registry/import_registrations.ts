import { idAddressed } from "./alias.ts";
import type { HighWaterMark } from "./high_water_mark.ts";
import { highestOf, raiseHighest } from "./highest.ts";
import type { ImportConflict, ImportedRegistration, ImportOptions, ImportResult } from "./registry.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";

/** Ends a transaction without a change, with what it came to. */
class Undone extends Error {
  readonly result: ImportResult;

  constructor(result: ImportResult) {
    super();
    this.result = result;
  }
}

/** Takes in all of `registrations` or none of them; see Registry.import. */
export function importRegistrations(
  db: SqliteDatabase,
  mark: HighWaterMark,
  registrations: readonly ImportedRegistration[],
  options: ImportOptions,
): ImportResult {
  try {
    const result = db.transaction(() => {
      const before = highestOf(db);
      const result = takeIn(db, registrations, options);
      if (result.conflicts.length > 0 || options.dryRun === true) throw new Undone(result);
      mark.raise(before, highestOf(db));
      return result;
    });
    mark.committed();
    return result;
  } catch (error) {
    if (error instanceof Undone) return error.result;
    throw error;
  }
}

function takeIn(
  db: SqliteDatabase,
  registrations: readonly ImportedRegistration[],
  { now, highest }: ImportOptions,
): ImportResult {
  const added: string[] = [];
  const known: string[] = [];
  const conflicts: ImportConflict[] = [];
  raiseHighest(db, {
    id: registrations.reduce((most, { id }) => Math.max(most, Number(id)), highest?.id ?? 0),
    port: registrations.reduce((most, { port }) => Math.max(most, port), highest?.port ?? 0),
  });
  for (const registration of registrations) {
    const { id, port, key, fingerprint, brand, vitae } = registration;
    const here = db.get<{ port: number; fingerprint: string }>(
      "SELECT port, fingerprint FROM registrations WHERE id = ?",
      Number(id),
    );
    if (here !== undefined && here.port === port && here.fingerprint === fingerprint) {
      known.push(id);
      continue;
    }
    const reason = here === undefined
      ? conflictOf(db, registration)
      : here.fingerprint === fingerprint
      ? `it has the port ${here.port} in this registry, and ${port} in the file`
      : "the id belongs to another key in this registry";
    if (reason !== undefined) {
      conflicts.push({ id, reason });
      continue;
    }
    db.run("DELETE FROM released WHERE id = ?", Number(id));
    db.run(
      "INSERT INTO registrations (id, port, key, fingerprint, brand, vitae, created_at, legacy) VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
      ...[Number(id), port, key, fingerprint, brand, vitae === null ? null : JSON.stringify(vitae), now],
    );
    added.push(id);
  }
  // After all ids are there: which of them an alias is the address of can't be told before.
  const isNew = new Set(added);
  for (const { id, aliases } of registrations) {
    if (!isNew.has(id)) continue;
    for (const alias of aliases) {
      const reason = aliasConflict(db, Number(id), alias);
      if (reason === undefined) db.run("INSERT OR IGNORE INTO aliases VALUES (?, ?)", alias, Number(id));
      else conflicts.push({ id, reason });
    }
  }
  return { added, known, conflicts };
}

/** Why an id that is not registered here, or its port, cannot be taken. */
function conflictOf(db: SqliteDatabase, { id, port, fingerprint }: ImportedRegistration): string | undefined {
  const holder = db.get<{ id: number }>("SELECT id FROM registrations WHERE port = ?", port);
  if (holder !== undefined) return `the port ${port} belongs to registration ${holder.id}`;
  const before = db.get<{ id: number }>("SELECT id FROM released WHERE port = ? AND id <> ?", port, Number(id));
  if (before !== undefined) return `the port ${port} was that of registration ${before.id}, which may come back`;
  const released = db.get<{ fingerprint: string }>("SELECT fingerprint FROM released WHERE id = ?", Number(id));
  if (released !== undefined && released.fingerprint !== fingerprint) {
    return "the id was another key's in this registry, which may come back";
  }
  const alias = aliasOfAddress(db, Number(id));
  return alias && `its address is an alias of registration ${alias.id}, "${alias.alias}"`;
}

/** Why a registration may not have an alias: it belongs to another, or is another's address now or one day. */
export function aliasConflict(db: SqliteDatabase, id: number, alias: string): string | undefined {
  const holder = db.get<{ id: number }>("SELECT id FROM aliases WHERE alias = ? AND id <> ?", alias, id);
  if (holder !== undefined) return `the alias "${alias}" belongs to registration ${holder.id}`;
  const addressed = idAddressed(alias);
  if (addressed === undefined || addressed === id) return undefined;
  if (db.get("SELECT 1 FROM registrations WHERE id = ?", addressed)) {
    return `"${alias}" is the address of registration ${addressed}`;
  }
  return db.get("SELECT 1 FROM highest WHERE what = 'id' AND value < ?", addressed)
    ? `"${alias}" will be the address of registration ${addressed} when that is made`
    : undefined;
}

/** The alias of another registration, if there is one, that is the address of `id`. */
export function aliasOfAddress(db: SqliteDatabase, id: number): { id: number; alias: string } | undefined {
  return db.get(
    "SELECT id, alias FROM aliases WHERE id <> ? AND (alias = ? OR alias GLOB ? OR alias GLOB ?)",
    id,
    String(id),
    `${id}-*`,
    `${id}.*`,
  );
}
