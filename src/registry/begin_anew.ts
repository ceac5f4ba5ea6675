import { existsSync, renameSync, statSync } from "node:fs";
import { messageOf, PetitError } from "../error.ts";
import { type Highest, HighWaterMark } from "./high_water_mark.ts";
import { highestOf, raiseHighest } from "./highest.ts";
import { lost, wantsRestoring } from "./registry_error.ts";
import { SqliteDatabase } from "./sqlite_database.ts";

/** What beginning anew came to. */
export interface BegunAnew {
  /** The highest id and port that were given away before; the next ones go on after them. */
  readonly after: Highest;
  /** What was left of the former registry, under the names that it has now. */
  readonly kept: readonly string[];
}

/**
 * Puts an empty registry in the place of one that is lost or damaged; what is left of that is kept under other names.
 *
 * @param known what is known to have been given away besides the mark; zeros where there is nothing
 * @param now in milliseconds since 1970
 * @throws PetitError `registry-whole`: there is nothing to replace; `registry-mark-lost`: nothing says where to go on
 */
export function beginAnew(path: string, known: Highest, now: number): BegunAnew {
  const mark = new HighWaterMark(path);
  const read = mark.read();
  const marked = read === "damaged" ? undefined : read;
  const after = { id: Math.max(known.id, marked?.id ?? 0), port: Math.max(known.port, marked?.port ?? 0) };
  refuseWhole(path, after);
  if (after.id === 0 || after.port === 0) {
    throw new PetitError("registry-mark-lost", `"${mark.file}" does not say any more which ids were given away`, {
      hint: "Say it with --last-id and --last-port: at least the highest ones that any client has",
    });
  }
  // First: whatever ends this in between, the registry is found lost, and can be begun anew once more.
  mark.set(after);
  const kept = moveAway(path, new Date(now).toISOString().replaceAll(/[:.]/g, "-"));
  new SqliteDatabase(path, { check: false, before: () => {}, after: (db) => raiseHighest(db, after) }).close();
  return { after, kept };
}

function refuseWhole(path: string, after: Highest): void {
  if (!statSync(path, { throwIfNoEntry: false })?.size) return;
  let count = 0;
  let highest: Highest;
  try {
    const before = (hasTables: boolean) => {
      if (!hasTables) throw lost(path, "holds no registrations", after.id);
    };
    const db = new SqliteDatabase(path, { check: true, before, after: () => {} });
    try {
      highest = highestOf(db);
      for (const table of ["registrations", "released"]) {
        count += db.get<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)?.count ?? 0;
      }
    } finally {
      db.close();
    }
  } catch (error) {
    if (error instanceof PetitError && wantsRestoring(error)) return;
    throw error;
  }
  if (count === 0 && (highest.id < after.id || highest.port < after.port)) return;
  throw new PetitError("registry-whole", `The registry "${path}" can be used: there is no need to begin anew`, {
    hint: '"petit server unregister" takes single registrations away',
  });
}

function moveAway(path: string, moment: string): string[] {
  const kept: string[] = [];
  for (const suffix of ["", "-wal", "-shm"]) {
    if (!existsSync(path + suffix)) continue;
    const name = `${path}.lost-${moment}${suffix}`;
    try {
      renameSync(path + suffix, name);
    } catch (error) {
      throw new PetitError("registry-unusable", `Cannot move "${path + suffix}" away: ${messageOf(error)}`, {
        hint: "Check that this user may write the folder",
        cause: error,
      });
    }
    kept.push(name);
  }
  return kept;
}
