import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";

/** The name of a file that was put away: "server.log" becomes "server.1.log", so that it still opens as a log file. */
export function numberedFile(file: string, number: number): string {
  const extension = extname(file);
  return `${file.slice(0, file.length - extension.length)}.${number}${extension}`;
}

/**
 * Makes number 1 free: what bears it becomes 2, and so on, up to `max`; what would come after that is deleted.
 */
export async function shiftNumbered(file: string, max: number): Promise<void> {
  const numbers = await numbersOf(file);
  for (const number of numbers) if (number > max) await rm(numberedFile(file, number), { force: true });
  // A number that is missing ends the row: nothing behind it has to move.
  let last = 0;
  while (numbers.has(last + 1) && last < max) last++;
  if (last === max) await rm(numberedFile(file, last--), { force: true });
  for (let number = last; number > 0; number--) {
    await rename(numberedFile(file, number), numberedFile(file, number + 1));
  }
}

async function numbersOf(file: string): Promise<Set<number>> {
  const numbers = new Set<number>();
  for (const name of await readdir(dirname(file))) {
    const number = Number(/\.([1-9]\d{0,5})(?:\.[^.]*)?$/.exec(name)?.[1]);
    if (name === basename(numberedFile(file, number))) numbers.add(number);
  }
  return numbers;
}
