import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { writeStateFile } from "../platform/state_file.ts";
import { syncFolder } from "../platform/sync_folder.ts";

/** The highest id and reverse port that were given away. */
export interface Highest {
  readonly id: number;
  readonly port: number;
}

/** What the file of a mark holds. */
export interface Mark extends Highest {
  /** The highest id before the change that the mark was last raised for, which may have been cut short. */
  readonly idBefore: number;
}

/**
 * The highest id and port that were ever given away, in the small file `REGISTRY.highest`: what the registry cannot tell
 * once it is lost or has been replaced by an older copy. Raised, and on the disk, before what gives a higher one away is
 * committed: it may run ahead of the registry, and is never behind it. Written by whoever holds the registry's write lock.
 */
export class HighWaterMark {
  readonly file: string;
  /** What was marked for a change that has not been committed, so that nobody was given it, and what was the highest before. */
  #uncommitted: { readonly marked: Highest; readonly former: Highest } | undefined;

  /** @param registry path of the registry's file */
  constructor(registry: string) {
    this.file = `${registry}.highest`;
  }

  /** @returns undefined where there is none @throws PetitError `registry-unusable` */
  read(): Mark | "damaged" | undefined {
    let text: string;
    try {
      text = readFileSync(this.file, "utf8");
    } catch (error) {
      if (systemCode(error) === "ENOENT") return undefined;
      throw new PetitError("registry-unusable", `Cannot read "${this.file}": ${messageOf(error)}`, {
        hint: "Check that it is a file that this user may read",
        cause: error,
      });
    }
    return parsed(text) ?? "damaged";
  }

  /** The higher ones of what the registry knows and what is marked. @throws PetitError `registry-unusable` */
  above(kept: Highest): Highest {
    const mark = this.read();
    if (mark === undefined || mark === "damaged") return kept;
    const own = this.#uncommitted;
    return higher(kept, own !== undefined && isSame(own.marked, mark) ? own.former : mark);
  }

  /**
   * Marks what is about to be given away.
   * @param kept the registry's own highest, until it is committed
   * @throws PetitError `state-unwritable`; it must not be given away then
   */
  raise(kept: Highest, to: Highest): void {
    const mark = this.read();
    const former = this.above(kept);
    const marked = mark === undefined || mark === "damaged" ? higher(kept, to) : higher(mark, to);
    if (mark !== undefined && mark !== "damaged" && isSame(mark, marked)) return;
    this.#uncommitted = { marked, former };
    this.#write({ ...marked, idBefore: former.id });
  }

  /** What was raised last has been committed. */
  committed(): void {
    this.#uncommitted = undefined;
  }

  /** Makes it anew, of what the registry knows. @throws PetitError `state-unwritable` */
  set(highest: Highest): void {
    this.#write({ ...highest, idBefore: highest.id });
  }

  #write({ id, port, idBefore }: Mark): void {
    writeStateFile(this.file, `${JSON.stringify({ id, port, idBefore })}\n`);
    syncFolder(dirname(this.file));
  }
}

function higher(one: Highest, other: Highest): Highest {
  return { id: Math.max(one.id, other.id), port: Math.max(one.port, other.port) };
}

function isSame(one: Highest, other: Highest): boolean {
  return one.id === other.id && one.port === other.port;
}

function parsed(text: string): Mark | undefined {
  try {
    const { id, port, idBefore } = JSON.parse(text) as Partial<Mark>;
    return isCount(id) && isCount(port) && isCount(idBefore) ? { id, port, idBefore } : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
