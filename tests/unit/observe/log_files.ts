import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { numberedFile } from "../../../src/observe/numbered_files.ts";
import type { RotatingFileOptions } from "../../../src/observe/rotating_file.ts";

/** All whole lines of a log, oldest first: of the files that were put away and of the newest. */
export function linesOf(file: string): string[] {
  const present = readdirSync(dirname(file));
  const files = [file, ...present.map((_, index) => numberedFile(file, index + 1))].reverse();
  // A process that ended in the middle of putting one away leaves a gap.
  return files.filter((part) => present.includes(basename(part))).flatMap((part) =>
    readFileSync(part, "utf8").split("\n").slice(0, -1)
  );
}

/** What a rotating file says of itself. */
export interface Told {
  trouble: [kind: string, error: unknown][];
  recovered: number[];
}

/** Options for a file, and what it says. */
export function told(
  options: Pick<RotatingFileOptions, "file"> & Partial<RotatingFileOptions>,
): { options: RotatingFileOptions; told: Told } {
  const told: Told = { trouble: [], recovered: [] };
  return {
    told,
    options: {
      maxSize: 1024 * 1024,
      maxFiles: 1000,
      onTrouble: (kind, error) => told.trouble.push([kind, error]),
      onRecovered: (lost) => told.recovered.push(lost),
      ...options,
    },
  };
}
