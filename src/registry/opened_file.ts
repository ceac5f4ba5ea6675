import { statSync } from "node:fs";
import { replaced } from "./registry_error.ts";

/**
 * Whether a database's file is still the one that was opened. SQLite goes on writing to a file that has no name any more,
 * and beside one that was cut or overwritten: what it acknowledges then is lost with the process. Looked at from outside
 * only: a process that opens and closes a file gives up the locks that SQLite has on it.
 */
export class OpenedFile {
  readonly #path: string;
  readonly #damage: () => string | undefined;
  readonly #identity: string;
  readonly #rescue: () => string | undefined;
  #written: bigint;

  /**
   * @param rescue makes a copy of a file that has another name or none by now, if it can
   * @param damage what is wrong with the file's content; asked when it was written: SQLite itself does that rarely, since it has a journal
   */
  constructor(path: string, rescue: () => string | undefined, damage: () => string | undefined) {
    this.#path = path;
    this.#rescue = rescue;
    this.#damage = damage;
    const { identity, written } = look(path) ?? { identity: "", written: 0n };
    this.#identity = identity;
    this.#written = written;
  }

  /** @throws PetitError `registry-replaced` */
  check(): void {
    const found = look(this.#path);
    if (found?.identity !== this.#identity) {
      const what = found === undefined ? "was taken away" : "was replaced by another file";
      throw replaced(this.#path, what, this.#rescue());
    }
    // Asked about an empty file, SQLite would throw the journal away too.
    if (found.size === 0n) throw replaced(this.#path, "was emptied");
    if (found.written === this.#written) return;
    const damage = this.#damage();
    if (damage !== undefined) throw replaced(this.#path, `was damaged (${damage})`);
    this.#written = found.written;
  }
}

function look(path: string): { identity: string; size: bigint; written: bigint } | undefined {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return { identity: `${dev} ${ino}`, size, written: mtimeNs };
  } catch {
    return undefined;
  }
}
