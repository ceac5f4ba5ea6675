import { basename } from "node:path";
import { messageOf, PetitError, systemCode } from "../error.ts";

/** The way out where the registry's content is gone. SQLite would apply the journal of the former file to the restored one. */
const RESTORE =
  'Restore it from a backup, with no "-wal" and "-shm" files beside it; without one, "petit server registry begin-anew" begins an empty registry ' +
  "that gives none of the former ids and ports again";

/** What a fault of the registry's file is called; PetitErrors go through. */
export function unusable(what: "use" | "change", path: string, error: unknown): PetitError {
  if (error instanceof PetitError) return error;
  return new PetitError("registry-unusable", `Cannot ${what} the registry "${path}": ${messageOf(error)}`, {
    hint: hintFor(error),
    cause: error,
  });
}

/** The file can be read as a database, and is not whole. */
export function damaged(path: string, finding: string): PetitError {
  return new PetitError("registry-unusable", `Cannot use the registry "${path}": it is damaged (${finding})`, {
    hint: RESTORE,
  });
}

export function newer(): PetitError {
  return new PetitError("registry-newer", "The registry was written by a newer petit", {
    hint: "Install that version again",
  });
}

/** @param last the last id that was given away; undefined where that is not known any more */
export function lost(path: string, what: string, last: number | undefined): PetitError {
  const given = last === undefined ? "ids have been given away" : `ids up to ${last} have been given away`;
  return new PetitError("registry-lost", `The registry "${path}" ${what}, and ${given}`, {
    hint: `${RESTORE}. Leave "${basename(path)}.highest" as it is`,
  });
}

/** Whether the content is gone, and not only out of reach for now. */
export function wantsRestoring({ hint }: PetitError): boolean {
  return hint?.startsWith(RESTORE) === true;
}

/**
 * The file under the registry's name is not the one that was opened, or not whole any more.
 * @param rescued a copy of what was open
 */
export function replaced(path: string, what: string, rescued?: string): PetitError {
  const copy = rescued === undefined ? "the right file" : `"${rescued}", which holds all that it held,`;
  return new PetitError("registry-replaced", `The registry "${path}" ${what} while it was open`, {
    hint: "Nothing is written any more. Stop the server, take the files beside it away that end in -wal and -shm, " +
      `put ${copy} in its place, and start it again`,
  });
}

export function isOfSqlite(error: unknown): boolean {
  return systemCode(error) === "ERR_SQLITE_ERROR";
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
  return RESTORE;
}
