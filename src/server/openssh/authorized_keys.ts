import { Buffer } from "node:buffer";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { messageOf, PetitError, systemCode } from "../../error.ts";
import { syncFolder } from "../../platform/sync_folder.ts";
import { type Repaired, repairLines } from "./repair_lines.ts";

/** Times that the file is read again because another program has just written it. */
const MAX_TRIES = 5;

/** The file of keys that sshd lets in, of which some lines are petit's. */
export class AuthorizedKeys {
  readonly file: string;
  readonly #owner: { readonly uid: number; readonly gid: number };

  /** @param owner of the file and its folder, where they have to be made */
  constructor(file: string, owner: { readonly uid: number; readonly gid: number }) {
    this.file = file;
    this.#owner = owner;
  }

  /** Changes when the file does. */
  get stamp(): string {
    const stats = statSync(this.file, { throwIfNoEntry: false, bigint: true });
    return stats === undefined ? "" : `${stats.mtimeNs}:${stats.size}:${stats.ino}:${stats.mode}:${stats.uid}`;
  }

  /**
   * Makes petit's lines those that there should be. Nothing is written where they are.
   *
   * @param wanted by key
   * @throws PetitError `authorized-keys-unusable`; the file is as it was then
   */
  repair(wanted: ReadonlyMap<string, string>): Repaired {
    try {
      for (let tries = 1;; tries++) {
        const before = this.stamp;
        const text = before === "" ? "" : readFileSync(this.file, "latin1");
        const repaired = repairLines(text, wanted);
        if (repaired.text === text || this.#write(repaired.text, before, tries === MAX_TRIES)) return repaired;
      }
    } catch (error) {
      throw new PetitError("authorized-keys-unusable", `Cannot keep "${this.file}": ${messageOf(error)}`, {
        hint: "Clients log in to sshd by the keys in it: this user has to be allowed to write the file and its folder",
        cause: error,
      });
    }
  }

  /** Writes it as a whole or not at all. False where another program has changed it in the meantime. */
  #write(text: string, before: string, force: boolean): boolean {
    // What a link leads to is replaced, and not the link.
    const target = existsSync(this.file) ? realpathSync(this.file) : this.file;
    const stats = statSync(target, { throwIfNoEntry: false });
    this.#makeFolder(dirname(target));
    const temporary = `${target}.petit.${process.pid}.tmp`;
    try {
      rmSync(temporary, { force: true });
      const mode = stats === undefined ? 0o600 : stats.mode & 0o777;
      writeFileSync(temporary, Buffer.from(text, "latin1"), { mode, flush: true, flag: "wx" });
      const { uid, gid } = stats ?? this.#owner;
      this.#give(temporary, uid, gid);
      if (!force && this.stamp !== before) return false;
      renameSync(temporary, target);
      syncFolder(dirname(target));
      return true;
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  #makeFolder(folder: string): void {
    if (existsSync(folder)) return;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#give(folder, this.#owner.uid, this.#owner.gid);
  }

  /** Only root can give files away; others write files of their own. */
  #give(path: string, uid: number, gid: number): void {
    try {
      if (process.getuid?.() !== uid) chownSync(path, uid, gid);
      else if (statSync(path).gid !== gid) chownSync(path, uid, gid);
    } catch (error) {
      if (systemCode(error) !== "EPERM" || process.getuid?.() === 0) throw error;
      throw new PetitError("not-ours", `it belongs to the user ${uid}, and this is ${process.getuid?.()}`, {
        cause: error,
      });
    }
  }
}
