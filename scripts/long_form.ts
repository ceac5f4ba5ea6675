// What the long forms of the tests (faults.ts, fuzz.ts) share.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { root } from "./project.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a program with its output where this one's goes, in a group of its own, so that the daemons that it starts end with it.
 *
 * @param watch begins to look after it, and returns a function that stops that; `end` kills the whole group
 * @returns its exit code, null where it was killed
 */
export function runGroup(
  [program = "", ...args]: string[],
  env: Record<string, string>,
  watch: (end: () => void) => () => void,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
      detached: true,
    });
    const end = () => process.kill(-(child.pid as number), "SIGKILL");
    const stopWatching = watch(end);
    for (const signal of SIGNALS) process.once(signal, end);
    child.on("error", reject);
    child.on("exit", (code) => {
      stopWatching();
      for (const signal of SIGNALS) process.off(signal, end);
      resolve(code);
    });
  });
}

/** The lines of a file of figures; none where it is not there. */
export function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n");
  } catch {
    return [];
  }
}
