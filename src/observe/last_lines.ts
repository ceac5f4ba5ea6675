import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** How much of a file is read, in bytes. */
const MOST = 1024 * 1024;

/** The last whole lines of a file, 1 MiB at most; none where it cannot be read. */
export function lastLines(file: string): string[] {
  try {
    const fd = openSync(file, "r");
    try {
      const { size } = fstatSync(fd);
      const bytes = Buffer.alloc(Math.min(size, MOST));
      const text = bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, size - bytes.length));
      const lines = text.split("\n");
      // What comes after the last line feed is no whole line, and neither is what the reading began in the middle of.
      lines.pop();
      return size > MOST ? lines.slice(1) : lines;
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}
