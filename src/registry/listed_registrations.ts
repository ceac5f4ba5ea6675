import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { guardedOpening } from "./guarded_opening.ts";
import { HighWaterMark } from "./high_water_mark.ts";
import { registryFile } from "./open_registry.ts";
import type { Registration } from "./registry.ts";
import { damaged, newer, unusable } from "./registry_error.ts";
import { MIGRATIONS } from "./sqlite_layout.ts";

/** What a look from beside tells of a registration. */
export type ListedRegistration = Pick<Registration, "id" | "port" | "legacy">;

interface Row {
  readonly id: number;
  readonly port: number;
  readonly key: string;
  readonly vitae: string | null;
  /** Registries of former versions do not tell. */
  readonly legacy?: number;
}

/**
 * Reads a registry as it lies there: it is neither made, nor brought to the layout of today, which a server of another version that has it open
 * would suffer from.
 *
 * @returns none where there never was one
 * @throws PetitError as `openRegistry`
 */
export function listedRegistrations(url: string): ListedRegistration[] {
  const path = registryFile(url);
  const { before } = guardedOpening(path, new HighWaterMark(path), {});
  if (!existsSync(path)) return [];
  let db: DatabaseSync | undefined;
  try {
    // Without a journal nobody writes it at present; SQLite would leave one behind.
    const isOpen = existsSync(`${path}-wal`);
    db = new DatabaseSync(isOpen ? path : `${pathToFileURL(path).href}?immutable=1`, { readOnly: true });
    db.exec("PRAGMA busy_timeout = 5000");
    const [applied, finding] = ["user_version", "integrity_check"].map((name) =>
      Object.values(db?.prepare(`PRAGMA ${name}`).get() ?? {})[0]
    ) as [number, string];
    if (finding !== "ok") throw damaged(path, finding);
    if (applied > MIGRATIONS.length) throw newer();
    before(applied > 0);
    if (applied === 0) return [];
    const rows = db.prepare("SELECT * FROM registrations ORDER BY id").all() as unknown as Row[];
    return rows.map(({ id, port, key, vitae, legacy }) => ({
      ...{ id: String(id), port },
      // As the migration that began to keep it takes it to be.
      legacy: legacy === undefined
        ? key.startsWith("ssh-rsa ") && vitae?.includes('"version":"0.6') !== false
        : legacy !== 0,
    }));
  } catch (error) {
    throw unusable("use", path, error);
  } finally {
    db?.close();
  }
}
