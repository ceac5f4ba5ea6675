import { closeSync, fstatSync, writeSync } from "node:fs";
import { rename, stat } from "node:fs/promises";
import process from "node:process";
import { PetitError } from "../error.ts";
import { closeFile, cutEnd, type OpenFile, openToAppend, openToAppendSync, sizeOf, writeWhole } from "./append_file.ts";
import { numberedFile, shiftNumbered } from "./numbered_files.ts";

export interface RotatingFileOptions {
  /** The file that is always the newest, such as "/…/logs/server.log". */
  readonly file: string;
  /** Bytes at which it is put away; a line is never divided. */
  readonly maxSize: number;
  /** How many files that were put away are kept: "server.1.log" is the youngest of them. */
  readonly maxFiles: number;
  /** Milliseconds for which lines are gathered, 10 by default. */
  readonly delay?: number;
  /** Told once when lines cannot be written ("write"), or the file cannot be put away and grows ("rotate"). */
  onTrouble(kind: "write" | "rotate", error: unknown): void;
  /** Told when lines are written again; `lost` are gone. */
  onRecovered(lost: number): void;
}

/** Bytes of one write. */
const BATCH = 256 * 1024;
/** Bytes that may wait for a slow disk; more are lost, and counted. */
const MAX_WAITING = 16 * 1024 * 1024;
/** The same while the disk takes nothing at all: what is logged first says why. */
const MAX_WAITING_IN_TROUBLE = 1024 * 1024;
/** Milliseconds until another attempt, to write or to put the file away. */
const RETRY_AFTER = 1000;
const ROTATE_AGAIN_AFTER = 10_000;
/** How long the end of the process may wait for a write that is under way. */
const LAST_WRITE = 500;

/**
 * A file of lines that begins anew at a size. Nobody waits for the disk: lines are gathered for some milliseconds and
 * written in one go, in order, each exactly once. A file that somebody moves or deletes is made again. rotating-file-stream
 * does not do it: it writes each line by itself, and the first full disk ends it with half a line in the file.
 */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #open: OpenFile | undefined;
  /** Lines that are not known to be in the file, oldest first, and their bytes. */
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Bytes of the write that is under way, the first that wait. */
  #underWay = 0;
  #lost = 0;
  #trouble = false;
  #rotateAfter = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;
  readonly #onExit = () => this.#writeNow();

  /** Opens the file, with its folder. @throws PetitError `log-unwritable` */
  constructor(options: RotatingFileOptions) {
    this.#options = options;
    try {
      this.#open = openToAppendSync(options.file);
    } catch (error) {
      throw new PetitError(
        "log-unwritable",
        `Cannot write the log file "${options.file}": ${(error as Error).message}`,
        {
          hint:
            'Check that the folder belongs to this user and that the disk has room, or set logFolder to "" to keep no log files',
          cause: error,
        },
      );
    }
    process.on("exit", this.#onExit);
  }

  /** Takes a line with its line feed. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    const most = this.#trouble ? MAX_WAITING_IN_TROUBLE : MAX_WAITING;
    if (this.#closed || this.#waitingBytes + bytes > most) {
      this.#lost++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    if (this.#timer === undefined && this.#writing === undefined) this.#writeAfter(this.#options.delay ?? 10);
  }

  /** Writes what waits, and closes the file. What comes later is lost. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
    await this.#writeAll();
    process.off("exit", this.#onExit);
    if (this.#open !== undefined) await closeFile(this.#open);
    this.#open = undefined;
  }

  #writeAfter(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#writing = this.#writeAll().finally(() => {
        this.#writing = undefined;
        if (this.#waiting.length > 0 && !this.#closed) this.#writeAfter(this.#trouble ? RETRY_AFTER : 0);
      });
    }, milliseconds);
    // A disk that takes nothing must not keep a process from its end.
    if (this.#trouble) this.#timer.unref();
  }

  /** Writes until nothing waits, or until it fails. */
  async #writeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        await this.#writeBatch(await this.#ready());
        if ((this.#trouble || this.#lost > 0) && this.#waitingBytes < MAX_WAITING / 2) this.#recovered();
      }
    } catch (error) {
      if (this.#open !== undefined) await closeFile(this.#open);
      this.#open = undefined;
      // Told first: the line that says so may be one of this file, and has to find room.
      if (!this.#trouble) this.#options.onTrouble("write", error);
      this.#trouble = true;
    }
  }

  #recovered(): void {
    const lost = this.#lost;
    this.#lost = 0;
    this.#trouble = false;
    this.#options.onRecovered(lost);
  }

  /** The file under its name, with room for the next line. */
  async #ready(): Promise<OpenFile> {
    const { file, maxSize } = this.#options;
    if (this.#open !== undefined) {
      const named = await stat(file, { bigint: true }).catch(() => undefined);
      if (named?.ino === this.#open.ino) this.#open.size = Number(named.size);
      else {
        await closeFile(this.#open);
        this.#open = undefined;
      }
    }
    this.#open ??= await openToAppend(file);
    const next = Buffer.byteLength(this.#waiting[0] as string);
    if (this.#open.size > 0 && this.#open.size + next > maxSize && Date.now() >= this.#rotateAfter) {
      await this.#rotate(this.#open);
      this.#open = await openToAppend(file);
    }
    return this.#open;
  }

  /** Windows renames no file that somebody has open: then it goes on growing for a while. */
  async #rotate(open: OpenFile): Promise<void> {
    const { file, maxFiles } = this.#options;
    this.#open = undefined;
    await closeFile(open);
    try {
      await shiftNumbered(file, maxFiles);
      await rename(file, numberedFile(file, 1));
    } catch (error) {
      this.#rotateAfter = Date.now() + ROTATE_AGAIN_AFTER;
      this.#options.onTrouble("rotate", error);
    }
  }

  async #writeBatch(open: OpenFile): Promise<void> {
    const room = Date.now() < this.#rotateAfter ? Infinity : this.#options.maxSize - open.size;
    let count = 0;
    let bytes = 0;
    for (const line of this.#waiting) {
      const more = Buffer.byteLength(line);
      if (count > 0 && (bytes + more > BATCH || bytes + more > room)) break;
      count++;
      bytes += more;
    }
    const batch = Buffer.from(this.#waiting.slice(0, count).join(""));
    this.#underWay = batch.length;
    let failure: unknown;
    await writeWhole(open, batch).catch((error) => failure = error);
    this.#underWay = 0;
    if (failure === undefined) return this.#written(open, bytes, count);
    // A full disk may have taken a part, of which a failed write does not tell. Whole lines stay; half a line is taken back,
    // and written again later.
    const taken = Math.min(Math.max(await sizeOf(open) - open.size, 0), bytes);
    const kept = taken === 0 ? 0 : batch.lastIndexOf("\n", taken - 1) + 1;
    if (taken > kept) await cutEnd(open, taken - kept);
    this.#written(open, kept, linesIn(batch.subarray(0, kept)));
    throw failure;
  }

  #written(open: OpenFile, bytes: number, lines: number): void {
    open.size += bytes;
    this.#waitingBytes -= bytes;
    this.#waiting.splice(0, lines);
  }

  /** The process ends without {@link close}: what waits is written while there is time. */
  #writeNow(): void {
    try {
      const open = this.#open ?? openToAppendSync(this.#options.file);
      // A write that is under way comes first; what it brings into the file is not written twice.
      const landed = () => fstatSync(open.fd).size - open.size;
      for (let waited = 0; landed() < this.#underWay && waited < LAST_WRITE; waited++) sleepSync(1);
      if (landed() < this.#underWay) return;
      writeSync(open.fd, Buffer.from(this.#waiting.join("")).subarray(this.#underWay));
      closeSync(open.fd);
    } catch {
      // There is nobody left to tell.
    }
  }
}

function sleepSync(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === 0x0a) lines++;
  return lines;
}
