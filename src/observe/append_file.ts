import {
  close,
  closeSync,
  fstat,
  fstatSync,
  ftruncate,
  mkdirSync,
  open as openFile,
  openSync,
  readSync,
  write,
  writeSync,
} from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/** A file that is written at its end. */
export interface OpenFile {
  readonly fd: number;
  /** Tells whether the file under that name is still this one. */
  readonly ino: bigint;
  /** Bytes. */
  size: number;
}

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** "a" and reading, for the last byte. */
const FLAGS = "a+";
const LINE_FEED = 0x0a;

/**
 * Opens a file to append lines, and makes it and its folder where they are not there, for their owner only. A last line that a crash left unfinished
 * is ended, so that the next one does not stick to it.
 */
export function openToAppendSync(file: string): OpenFile {
  mkdirSync(dirname(file), { recursive: true, mode: FOLDER_MODE });
  return prepared(openSync(file, FLAGS, FILE_MODE));
}

/** The same without making the process wait for the disk. */
export async function openToAppend(file: string): Promise<OpenFile> {
  await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE });
  return prepared(await call<number>((done) => openFile(file, FLAGS, FILE_MODE, done)));
}

function prepared(fd: number): OpenFile {
  try {
    const { ino, size } = fstatSync(fd, { bigint: true });
    const length = Number(size);
    const last = Buffer.of(LINE_FEED);
    if (length > 0) readSync(fd, last, 0, 1, length - 1);
    return { fd, ino, size: last[0] === LINE_FEED ? length : length + writeSync(fd, "\n") };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Writes all of it. Where that fails, a part may be in the file; how much is not told alike by all runtimes. */
export async function writeWhole({ fd }: OpenFile, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await call<number>((done) => write(fd, bytes, written, bytes.length - written, null, done));
  }
}

/** In bytes, as it is now. */
export async function sizeOf({ fd }: OpenFile): Promise<number> {
  return (await call<{ size: number }>((done) => fstat(fd, done))).size;
}

/** Takes the last bytes away again, where the system lets a file that is appended to become shorter. */
export async function cutEnd(open: OpenFile, bytes: number): Promise<void> {
  const size = await sizeOf(open);
  await call<void>((done) => ftruncate(open.fd, size - bytes, done)).catch(() => {});
}

/** Closes a file; that it fails is of no consequence for what was written. */
export function closeFile({ fd }: OpenFile): Promise<void> {
  return new Promise((resolve) => close(fd, () => resolve()));
}

function call<T>(work: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => work((error, result) => error ? reject(error) : resolve(result as T)));
}
