import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { messageOf, PetitError } from "../error.ts";

/** Makes a folder for state, readable by its owner only. @throws PetitError `state-unwritable` */
export function makeStateFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/** Writes a state file as a whole or not at all: to a temporary file beside it, which is then renamed. @throws PetitError `state-unwritable` */
export function writeStateFile(file: string, content: string, mode = 0o600): void {
  const temporary = `${file}.${process.pid}.tmp`;
  makeStateFolder(dirname(file));
  try {
    // Made anew in any case: what has that name already may be a link to elsewhere, or readable by others.
    rmSync(temporary, { force: true });
    writeFileSync(temporary, content, { mode, flush: true, flag: "wx" });
    renameSync(temporary, file);
  } catch (error) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // Why it could not be written says more.
    }
    throw unwritable(file, error);
  }
}

/** Removes a state file; one that is not there is no fault. @throws PetitError `state-unwritable` */
export function removeStateFile(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw unwritable(file, error);
  }
}

function unwritable(path: string, error: unknown): PetitError {
  return new PetitError("state-unwritable", `Cannot write "${path}": ${messageOf(error)}`, {
    hint: "Check that the folder belongs to this user and that the disk has room",
    cause: error,
  });
}
