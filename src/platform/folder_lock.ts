import { accessSync, closeSync, constants, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { makeStateFolder } from "./state_file.ts";

/** Which of the two daemons. */
export type Role = "server" | "client";

/** A folder that is this process's own until it ends. */
export interface FolderLock {
  /** Takes the file away and gives the lock back. May be called again. */
  release(): unknown;
}

/** How long those who only look, and those who lose a race, are waited for, in milliseconds. */
const PATIENCE = 500;

/** How often it is tried again when the file is another one by the time that it is locked. */
const TRIES = 1000;

/** The locks of this process. A connection that nobody refers to is collected, and its lock with it. */
const held = new Set<DatabaseSync>();

/** The lock file of a daemon, beside its config. */
export function lockFile(folder: string, role: Role): string {
  return join(folder, `${role}.lock`);
}

/**
 * Locks a folder for a daemon, so that there are never two of one role on it. The lock is one of the operating system, which SQLite takes
 * on the empty file `ROLE.lock`: it ends with the process, however that ends, so neither a file that was left behind nor a process that
 * was given the same id can be mistaken for a daemon.
 *
 * @param prepare takes away what a dead daemon has left: called when nobody else can get the lock any more, and before anybody sees that
 * this process has it
 * @throws PetitError `folder-locked`, `state-unwritable`
 */
export function lockFolder(folder: string, role: Role, prepare: () => void = () => {}): FolderLock {
  const file = lockFile(folder, role);
  makeStateFolder(folder);
  for (let tries = 0;; tries++) {
    create(file);
    const before = identity(file);
    // The daemon before takes its file away when it stops: then another one may have been locked under the same name.
    const isSame = () => before !== undefined && before === identity(file);
    let lock: DatabaseSync | undefined;
    try {
      lock = lockExclusively(file, isSame, prepare);
    } catch (error) {
      if (isBusy(error)) throw new PetitError("folder-locked", `A ${role} is running on "${folder}" already`);
      if (isForeign(error)) discard(file);
      // Gone, and perhaps made again already, even with the same number.
      else if ((isSame() && systemCode(error) !== "ENOENT") || tries > TRIES) throw unlockable(file, error);
    }
    if (lock === undefined) continue;
    held.add(lock);
    const own = lock;
    return { release: () => held.delete(own) && release(file, before as string, own) };
  }
}

/** Whether a daemon of that role runs on the folder. Leaves no trace. @throws PetitError `lock-unreadable`: it is another user's */
export function isLocked(folder: string, role: Role): boolean {
  const file = lockFile(folder, role);
  let database: DatabaseSync | undefined;
  try {
    accessSync(file, constants.R_OK);
    database = new DatabaseSync(file, { readOnly: true });
    database.exec("PRAGMA busy_timeout = 0");
    database.prepare("SELECT 1 FROM sqlite_master").all();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    if (isForeign(error)) return false;
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR" || identity(file) === undefined) return false;
    throw new PetitError(
      "lock-unreadable",
      `Cannot tell whether a ${role} is running on "${folder}": ${reason(error)}`,
      {
        hint: "Give this command as the user whose daemon it is",
        cause: error,
      },
    );
  } finally {
    database?.close();
  }
}

function create(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw unlockable(file, error);
  }
}

/** The connection that holds the lock; undefined where the file is not the one under that name any more. */
function lockExclusively(file: string, isSame: () => boolean, prepare: () => void): DatabaseSync | undefined {
  accessSync(file, constants.R_OK | constants.W_OK);
  const database = new DatabaseSync(file);
  let done = false;
  try {
    // Without a journal on the disk nothing but the file itself is touched. The first transaction keeps out whoever else wants the lock, and
    // those who look see nothing of it.
    database.exec(`PRAGMA busy_timeout = ${PATIENCE}; PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE`);
    if (!isSame()) return undefined;
    prepare();
    database.exec("ROLLBACK; BEGIN EXCLUSIVE");
    done = isSame();
    return done ? database : undefined;
  } finally {
    if (!done) database.close();
  }
}

function release(file: string, own: string, lock: DatabaseSync): void {
  // While the lock is held nobody can have locked another file under this name in good faith; Windows removes no file that is open.
  const remove = () => {
    if (identity(file) === own) rmSync(file, { force: true });
  };
  if (process.platform !== "win32") remove();
  lock.close();
  if (process.platform === "win32") {
    try {
      remove();
    } catch {
      // The next daemon has it open: it is the next one's file now.
    }
  }
}

/** Takes a file away that petit has not made: what it locks is empty. */
function discard(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw unlockable(file, error);
  }
}

/** What tells one file from another that has the same name later; undefined where there is none. */
function identity(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev} ${found.ino} ${found.birthtimeMs}`;
}

/** Deno gives no number with some of SQLite's errors. */
function isBusy(error: unknown): boolean {
  return /database is locked/.test(messageOf(error));
}

/** Whether SQLite cannot make sense of the file. */
function isForeign(error: unknown): boolean {
  return /not a database|malformed/.test(messageOf(error));
}

function reason(error: unknown): string {
  return systemCode(error) === "EACCES" || systemCode(error) === "EPERM" ? "permission denied" : messageOf(error);
}

function unlockable(file: string, error: unknown): PetitError {
  return new PetitError("state-unwritable", `Cannot lock "${file}": ${reason(error)}`, {
    hint: "Check that the folder belongs to this user and that the disk has room",
    cause: error,
  });
}
