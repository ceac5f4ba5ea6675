import type { Scope } from "../world/temporary_folder.ts";
import { type Background, background, type RunOptions } from "../world/processes.ts";

/** Starts a program that logs on standard output, so that those lines are among its {@link Background.lines} too. */
export function bothOutputs(scope: Scope, program: string, args: string[], options: RunOptions = {}): Background {
  return background(scope, "sh", ["-c", 'exec "$0" "$@" >&2', program, ...args], options);
}
