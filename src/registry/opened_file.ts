import { statSync } from "node:fs";
import { replaced } from "./registry_error.ts";

/**
 * Whether a database's file is still the one that was opened. SQLite goes on writing to a file that has no name any more,
 * and into one that was cut: what it acknowledges then is lost with the process. Looked at from outside only: a process
 * that opens and closes a file gives up the locks that SQLite has on it.
 */
export class OpenedFile {
  readonly #path: string;
  readonly #identity: string;
  readonly #sizeByContent: () => number;
  #size: number;

  /** @param sizeByContent how long it has to be by what is in it, once the journal has been written back; in bytes */
  constructor(path: string, sizeByContent: () => number) {
    this.#path = path;
    this.#sizeByContent = sizeByContent;
    const { identity, size } = look(path) ?? { identity: "", size: 0 };
    this.#identity = identity;
    this.#size = size;
  }

  /** @throws PetitError `registry-replaced` */
  check(): void {
    const found = look(this.#path);
    if (found === undefined) throw replaced(this.#path, "was taken away");
    if (found.identity !== this.#identity) throw replaced(this.#path, "was replaced by another file");
    // VACUUM makes it shorter too, to what its content needs; and with a journal it may be shorter than that, but does not become so.
    if (found.size < this.#size && found.size < this.#wanted()) throw replaced(this.#path, "was cut");
    this.#size = found.size;
  }

  #wanted(): number {
    try {
      return this.#sizeByContent();
    } catch {
      // SQLite has noticed by itself.
      return Infinity;
    }
  }
}

function look(path: string): { identity: string; size: number } | undefined {
  try {
    const { dev, ino, size } = statSync(path, { bigint: true });
    return { identity: `${dev} ${ino}`, size: Number(size) };
  } catch {
    return undefined;
  }
}
