import { statSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, PetitError } from "../../error.ts";
import { AccountFolder, type Owner } from "./account_folder.ts";
import { type Repaired, repairLines } from "./repair_lines.ts";

/** Times that the file is read again because another program has just written it. */
const MAX_TRIES = 5;

/** The file of keys that sshd lets in, of which some lines are petit's. */
export class AuthorizedKeys {
  readonly file: string;
  readonly #owner: Owner;

  /** @param owner of the file and its folder, where they have to be made */
  constructor(file: string, owner: Owner) {
    this.file = file;
    this.#owner = owner;
  }

  /** Changes when the file does. @throws PetitError `authorized-keys-unusable` where that cannot be told */
  get stamp(): string {
    try {
      const stats = statSync(this.file, { throwIfNoEntry: false, bigint: true });
      return stats === undefined ? "" : `${stats.mtimeNs}:${stats.size}:${stats.ino}:${stats.mode}:${stats.uid}`;
    } catch (error) {
      throw this.#unusable(error);
    }
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
        const repaired = this.#try(wanted, tries === MAX_TRIES);
        if (repaired !== undefined) return repaired;
      }
    } catch (error) {
      throw this.#unusable(error);
    }
  }

  /** Undefined where another program has changed it in the meantime. */
  #try(wanted: ReadonlyMap<string, string>, force: boolean): Repaired | undefined {
    const before = this.stamp;
    if (before === "" && wanted.size === 0) return repairLines("", wanted);
    const folder = new AccountFolder(this.file, this.#owner);
    try {
      const found = folder.read() ?? { text: "", mode: 0o600, uid: this.#owner.uid, gid: this.#owner.gid };
      const repaired = repairLines(found.text, wanted);
      if (repaired.text === found.text) return repaired;
      const { mode, uid, gid } = found;
      const isWritten = folder.write(repaired.text, { mode, uid, gid }, () => force || this.stamp === before);
      return isWritten ? repaired : undefined;
    } finally {
      folder.close();
    }
  }

  #unusable(error: unknown): PetitError {
    if (error instanceof PetitError && error.code === "authorized-keys-unusable") return error;
    // The file is reached through its folder's descriptor, which says nothing to anybody.
    const why = messageOf(error).replace(/\/proc\/self\/fd\/\d+/g, dirname(this.file));
    return new PetitError("authorized-keys-unusable", `Cannot keep "${this.file}": ${why}`, {
      hint:
        "Clients log in to sshd by the keys in it: it has to be a plain file that this user may write, as well as its folder, and both have to belong to the user that clients log in as",
      cause: error,
    });
  }
}
