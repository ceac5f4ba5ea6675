import process from "node:process";

/** Tells whoever waits what is going on; the result goes to standard output. */
export function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}
