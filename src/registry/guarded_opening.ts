import { statSync } from "node:fs";
import { basename } from "node:path";
import type { HighWaterMark, Mark } from "./high_water_mark.ts";
import { highestOf, raiseHighest } from "./highest.ts";
import { lost } from "./registry_error.ts";
import type { Opening, SqliteDatabase } from "./sqlite_database.ts";
import { FIRST_ID } from "./sqlite_layout.ts";

/** Something that was out of order, and has been mended. */
export interface RegistryFinding {
  readonly code: "registry-older" | "registry-mark-damaged";
  /** A sentence without its full stop. */
  readonly message: string;
}

export interface OpenOptions {
  /**
   * Told what was mended. Given by the server, which has a log to say it in; the registry is read through and mended for
   * it only. Commands beside it are held to the mark all the same.
   */
  readonly onFinding?: (finding: RegistryFinding) => void;
}

/** Compares a registry with its mark while it is opened. @throws PetitError `registry-lost` where the file is gone or empty, and ids were given away */
export function guardedOpening(path: string, mark: HighWaterMark, { onFinding }: OpenOptions): Opening {
  const marked = mark.read();
  // Before SQLite makes a new file of it, and throws away the journal of the old one.
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (!size && wereGivenAway(marked)) throw lost(path, size === undefined ? "is gone" : "is empty", lastOf(marked));
  return {
    check: onFinding !== undefined,
    before(hasTables) {
      if (!hasTables && wereGivenAway(marked)) throw lost(path, "holds no registrations", lastOf(marked));
    },
    after: (db) => reconcile(path, db, mark, onFinding),
  };
}

function wereGivenAway(mark: Mark | "damaged" | undefined): mark is Mark | "damaged" {
  return mark === "damaged" || (mark !== undefined && mark.id >= FIRST_ID);
}

function lastOf(mark: Mark | "damaged"): number | undefined {
  return mark === "damaged" ? undefined : mark.id;
}

/** Under the write lock, so that nobody raises either meanwhile. */
function reconcile(path: string, db: SqliteDatabase, mark: HighWaterMark, tell: OpenOptions["onFinding"]): void {
  const marked = mark.read();
  const kept = highestOf(db);
  if (marked === "damaged") {
    if (tell === undefined) return;
    mark.set(kept);
    return tell({
      code: "registry-mark-damaged",
      message: `The mark of the highest id, "${mark.file}", was damaged; it was made again from the registry, whose ` +
        `highest id is ${kept.id}. If that is an older backup, later ids may be given away again`,
    });
  }
  if (marked === undefined) return mark.set(kept);
  if (marked.id <= kept.id && marked.port <= kept.port) {
    // A version without marks has given more away.
    if (marked.id < kept.id || marked.port < kept.port) mark.set(kept);
    return;
  }
  const cutShort = marked.idBefore === kept.id;
  const isEmpty = db.get("SELECT 1 FROM registrations UNION ALL SELECT 1 FROM released") === undefined;
  if (isEmpty && !cutShort && wereGivenAway(marked) && kept.id < FIRST_ID) {
    throw lost(path, "holds no registrations", marked.id);
  }
  if (tell === undefined) return;
  raiseHighest(db, marked);
  // An import that was cut short may have raised the port alone.
  if (marked.id <= kept.id) return;
  const missing = marked.id - kept.id === 1 ? `id ${marked.id} is` : `the ids ${kept.id + 1} to ${marked.id} are`;
  tell({
    code: "registry-older",
    message: `In the registry "${basename(path)}" ${missing} missing, which ` +
      (cutShort
        ? "the server was about to give away when it was killed, or gave away after"
        : "were given away after") +
      " this copy of the file was made; they are given to nobody again, and the clients that had them have to register anew",
  });
}
