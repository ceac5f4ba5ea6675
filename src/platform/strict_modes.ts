import { closeSync, fstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { PetitError } from "../error.ts";

/**
 * What keeps other users of this machine from a daemon's secrets and state, as OpenSSH does it ("UNPROTECTED PRIVATE KEY FILE", StrictModes).
 * What counts is the file that a link leads to. Windows has no such modes: nothing is looked at there.
 */

const GROUP_READS = 0o040;
const OTHERS_WRITE = 0o022;
const WORLD_WRITES = 0o002;
const STICKY = 0o1000;

/**
 * Reads a private key that nobody but this user can read. One that root has given to this user's group to read (root:petit, mode 640) is
 * fine: so secrets are handed to services and into containers.
 *
 * @param kind "shared" for one that other services of its group may use too, as is the custom with those of certificates
 * @throws PetitError `key-exposed`, `key-foreign`, or what reading says
 */
export function readPrivateKey(file: string, kind: "own" | "shared" = "own"): string {
  const fd = openSync(file, "r");
  try {
    // Of what is read, and not of what has its name a moment later.
    refuseExposedKey(file, fstatSync(fd), kind);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/** Whether a key was not read because of who can read it. */
export function isRefusedKey(error: unknown): error is PetitError {
  return error instanceof PetitError && (error.code === "key-exposed" || error.code === "key-foreign");
}

/** @throws PetitError `key-exposed`, `key-foreign` */
export function refuseExposedKey(file: string, found = statSync(file), kind: "own" | "shared" = "own"): void {
  const self = process.getuid?.();
  if (self === undefined) return;
  if (!isOwnOrRoots(found, self)) {
    throw new PetitError("key-foreign", `The private key "${file}" belongs to another user (uid ${found.uid})`, {
      hint: `Give it to the user that petit runs as: chown ${self} "${file}"`,
    });
  }
  const allowed = kind === "shared" || (found.uid === 0 && self !== 0) ? GROUP_READS : 0;
  if ((found.mode & 0o077 & ~allowed) === 0) return;
  throw new PetitError("key-exposed", `Others can read or replace the private key "${file}" (mode ${modeOf(found)})`, {
    hint: `Run chmod 600 "${file}"; if somebody may have copied it, make a new one`,
  });
}

/**
 * Refuses a state folder, or one of the files named, that somebody else can change: whoever can do so decides what the daemon does. That
 * others can see what is in the folder is no reason: its files are for their owner's eyes only each.
 *
 * @param files those whose content is trusted; what is not there is not looked at
 * @throws PetitError `state-exposed`, `state-foreign`
 */
export function refuseLooseState(folder: string, files: readonly string[]): void {
  const self = process.getuid?.();
  if (self === undefined) return;
  for (const path of [folder, ...files]) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (!isOwnOrRoots(found, self)) {
      throw new PetitError("state-foreign", `"${path}" belongs to another user (uid ${found.uid})`, {
        hint: `Run this as that user, or give it to this one: chown ${self} "${path}"`,
      });
    }
    if ((found.mode & OTHERS_WRITE) !== 0) throw exposed(path, found);
  }
  const real = realpathSync(folder);
  for (let path = dirname(real); path !== dirname(path); path = dirname(path)) {
    const found = statSync(path, { throwIfNoEntry: false });
    // With the sticky bit, as in /tmp, nobody can put another folder into the place of this one.
    if (found !== undefined && (found.mode & WORLD_WRITES) !== 0 && (found.mode & STICKY) === 0) {
      throw exposed(path, found);
    }
  }
}

/** Root may do everything with everybody's files; a daemon believes its own user and root. */
function isOwnOrRoots({ uid }: Stats, self: number): boolean {
  return uid === self || uid === 0 || self === 0;
}

function exposed(path: string, found: Stats): PetitError {
  const isFolder = found.isDirectory();
  const what = isFolder ? "the folder " : "";
  return new PetitError("state-exposed", `Others can write ${what}"${path}" (mode ${modeOf(found)})`, {
    hint: isFolder
      ? `Run chmod ${isPrivate(path) ? "700" : "go-w"} "${path}", or keep petit's files in a folder of their own`
      : `Run chmod 600 "${path}"`,
  });
}

/** Whether the folder is not one that all users need. */
function isPrivate(path: string): boolean {
  return dirname(path) !== dirname(dirname(path));
}

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8);
}
