import { createHash, randomFillSync } from "node:crypto";
import { closeSync, fsyncSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** What the service serves, and what is uploaded to it. Random bytes, which no compression makes smaller. */
export interface Files {
  readonly folder: string;
  readonly small: { readonly name: string; readonly content: Buffer };
  readonly large: { readonly name: string; readonly path: string; readonly size: number; readonly sha256: string };
  /** Uploaded for comparison: several times the window of an SSH channel. */
  readonly kept: Buffer;
  /** The folder in which such uploads arrive. */
  readonly keptFolder: string;
}

const BLOCK = 16 * 1024 ** 2;

export function makeFiles(folder: string, largeSize: number): Files {
  const keptFolder = join(folder, "kept");
  mkdirSync(keptFolder, { recursive: true });
  const small = { name: "1k.bin", content: randomFillSync(Buffer.alloc(1024)) };
  writeFileSync(join(folder, small.name), small.content);
  const path = join(folder, "large.bin");
  const hash = createHash("sha256");
  const block = Buffer.alloc(BLOCK);
  const file = openSync(path, "w");
  for (let written = 0; written < largeSize; written += BLOCK) {
    randomFillSync(block);
    hash.update(block);
    writeSync(file, block);
  }
  // Now, or the disk would be at work during the first measurements.
  fsyncSync(file);
  closeSync(file);
  return {
    folder,
    keptFolder,
    small,
    large: { name: "large.bin", path, size: largeSize, sha256: hash.digest("hex") },
    kept: randomFillSync(Buffer.alloc(32 * 1024 ** 2)),
  };
}
