import { isOwnLine, keyOfLine } from "./key_line.ts";

/** What an authorized_keys file has to become. */
export interface Repaired {
  /** Its bytes, as Latin-1. */
  readonly text: string;
  /** Lines that had to be written, and lines that had to go. */
  readonly written: number;
  readonly removed: number;
  /** Numbers of foreign lines (from 1) with a key that is registered: sshd takes the first line with a key. By that key. */
  readonly foreign: ReadonlyMap<string, number>;
}

/**
 * Makes the lines of petit's those that there should be, and leaves all others as they are, to the byte. A line keeps its place where its key has
 * one already; new ones come last.
 *
 * @param text bytes of the file, as Latin-1
 * @param wanted by key ("ssh-ed25519 AAAA…")
 */
export function repairLines(text: string, wanted: ReadonlyMap<string, string>): Repaired {
  const lines = text === "" ? [] : text.split("\n");
  const endsOpen = lines.at(-1) !== "";
  if (!endsOpen) lines.pop();
  const missing = new Map(wanted);
  const foreign = new Map<string, number>();
  let written = 0;
  let removed = 0;
  let lastIsOurs = false;
  const kept = lines.flatMap((line, at) => {
    const key = keyOfLine(line);
    lastIsOurs = isOwnLine(line);
    if (!lastIsOurs) {
      if (key !== undefined && wanted.has(key)) foreign.set(key, at + 1);
      return [line];
    }
    const should = key === undefined ? undefined : missing.get(key);
    if (key === undefined || should === undefined) {
      removed++;
      return [];
    }
    missing.delete(key);
    if (should !== line) written++;
    return [should];
  });
  const all = [...kept, ...missing.values()];
  written += missing.size;
  // A last line that has no end is given one only where another follows.
  const open = endsOpen && lines.length > 0 && missing.size === 0 && !lastIsOurs;
  return { text: all.length === 0 ? "" : `${all.join("\n")}${open ? "" : "\n"}`, written, removed, foreign };
}
