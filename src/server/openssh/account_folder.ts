import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import process from "node:process";
import { PetitError, systemCode } from "../../error.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A file as it was found. */
export interface FoundFile extends Owner {
  /** Its bytes, as Latin-1. */
  readonly text: string;
  readonly mode: number;
}

/** A link in the place of either is not followed, and a pipe has nobody wait. */
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const FILE = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Others may write there. */
const OTHERS_WRITE = 0o022;

/**
 * The folder of a file of an account's, held open: that user may change it at any time, and this process may be root. Whatever takes its place
 * meanwhile, and whatever links there are in it by then, what is done is done to this folder's own files. Linux only (proc(5), /proc/self/fd).
 */
export class AccountFolder {
  /** The file's name in it: where the file is a link, that of what it leads to. */
  readonly name: string;
  readonly #path: string;
  readonly #descriptor: number;
  readonly #owner: Owner;
  readonly #isRoots: boolean;

  /**
   * Opens it, and makes it where it is not there.
   *
   * @throws PetitError `not-ours` where root would write into a folder that is not the account's, or Error of the system
   */
  constructor(file: string, owner: Owner) {
    const target = targetOf(resolve(file));
    this.name = basename(target);
    this.#path = dirname(target);
    this.#owner = owner;
    this.#isRoots = [...foldersAbove(resolve(file)), ...foldersAbove(target)].every(isRootsAlone);
    this.#descriptor = this.#open(this.#path);
    try {
      this.#refuseForeign(`its folder "${this.#path}"`, fstatSync(this.#descriptor));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** @throws PetitError `not-ours` where it is not a plain file, or Error of the system */
  read(): FoundFile | undefined {
    let descriptor: number;
    try {
      descriptor = openSync(this.#at(this.name), FILE);
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    }
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw new PetitError("not-ours", "it is not a plain file");
      this.#refuseForeign("it", stats);
      return { text: readFileSync(descriptor, "latin1"), mode: stats.mode & 0o777, uid: stats.uid, gid: stats.gid };
    } finally {
      closeSync(descriptor);
    }
  }

  /**
   * Writes it as a whole or not at all.
   *
   * @param text its bytes, as Latin-1
   * @param isWanted asked once all is written, before it takes the place of the former one
   * @returns whether it did
   * @throws PetitError `not-ours`, or Error of the system
   */
  write(text: string, { mode, ...owner }: Omit<FoundFile, "text">, isWanted: () => boolean): boolean {
    const temporary = this.#at(`${this.name}.petit.${process.pid}.tmp`);
    rmSync(temporary, { force: true });
    try {
      const descriptor = openSync(temporary, "wx", 0o600);
      try {
        writeFileSync(descriptor, Buffer.from(text, "latin1"));
        give(descriptor, owner);
        fchmodSync(descriptor, mode);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      if (!isWanted()) return false;
      renameSync(temporary, this.#at(this.name));
      fsyncSync(this.#descriptor);
      return true;
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #at(name: string): string {
    return `/proc/self/fd/${this.#descriptor}/${name}`;
  }

  #open(path: string): number {
    try {
      return openSync(path, FOLDER);
    } catch (error) {
      if (systemCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    }
    const above = this.#open(dirname(path));
    try {
      this.#refuseForeign(`the folder "${dirname(path)}"`, fstatSync(above));
      const made = `/proc/self/fd/${above}/${basename(path)}`;
      mkdirSync(made, { mode: 0o700 });
      const descriptor = openSync(made, FOLDER);
      give(descriptor, this.#owner);
      return descriptor;
    } finally {
      closeSync(above);
    }
  }

  /** Root serves the account in what is the account's, and nowhere else: the account's user says where a path leads. */
  #refuseForeign(what: string, { uid }: Stats): void {
    if (process.getuid?.() !== 0 || uid === this.#owner.uid || (uid === 0 && this.#isRoots)) return;
    throw new PetitError("not-ours", `${what} belongs to the user ${uid}, and not to ${this.#owner.uid}`);
  }
}

/** What a link leads to is what is replaced, and not the link. */
function targetOf(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  return dirname(path) === path ? path : join(targetOf(dirname(path)), basename(path));
}

function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}

/** Whether nobody but root says what is there. */
function isRootsAlone(folder: string): boolean {
  const stats = lstatSync(folder, { throwIfNoEntry: false });
  if (stats === undefined) return true;
  return stats.uid === 0 && (stats.isSymbolicLink() || (stats.mode & OTHERS_WRITE) === 0);
}

/** Only root can give files away; others write files of their own. */
function give(descriptor: number, { uid, gid }: Owner): void {
  const stats = fstatSync(descriptor);
  if (stats.uid === uid && stats.gid === gid) return;
  try {
    fchownSync(descriptor, uid, gid);
  } catch (error) {
    if (systemCode(error) !== "EPERM" || process.getuid?.() === 0) throw error;
    throw new PetitError("not-ours", `it belongs to the user ${uid}, and this is ${process.getuid?.()}`, {
      cause: error,
    });
  }
}
