import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { messageOf, PetitError } from "../error.ts";
import { selfCommand } from "./self_command.ts";

/** Tells a process that it was started by {@link startDetached}: it has no terminal, and its standard output leads to whoever started it. */
const MARK = "PETIT_DETACHED";

/** Settings of the environment that would turn the executable into something else. */
const MISLEADING = ["BUN_BE_BUN", "BUN_OPTIONS"];

/** Whether this process was started by {@link startDetached}. */
export function isDetached(): boolean {
  return process.env[MARK] === "1";
}

/** Tells the process that has started this one why it ends. Nobody need be listening any more. */
export function tellStarter(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // It has been ended itself.
  }
}

/**
 * Starts this petit once more as a process in the background, in a session of its own, so that it outlives the terminal.
 *
 * @param args what it is to do
 * @param folder its current folder
 * @param errors the file for its standard error, for what the runtime itself has to say; what was in it is gone
 * @throws PetitError `state-unwritable` or `start-failed`
 */
export async function startDetached(args: readonly string[], folder: string, errors: string): Promise<ChildProcess> {
  const stderr = openErrors(errors);
  try {
    return await startSelf(args, folder, { [MARK]: "1" }, ["ignore", "pipe", stderr]);
  } finally {
    closeSync(stderr);
  }
}

/**
 * Starts this petit once more, in a session of its own.
 *
 * @param marks variables of its environment
 * @param orphaned whether it is to be no child of this process's, but of the service manager's: its standard input is what `stdio` has as
 * descriptor 3
 * @throws PetitError `start-failed`
 */
export async function startSelf(
  args: readonly string[],
  folder: string,
  marks: Readonly<Record<string, string>>,
  stdio: StdioOptions,
  orphaned = false,
): Promise<ChildProcess> {
  const [program, ...first] = orphaned ? ["/bin/sh", "-c", '"$@" <&3 3<&- &', "sh", ...selfCommand()] : selfCommand();
  const env: NodeJS.ProcessEnv = { ...process.env, ...marks };
  for (const name of MISLEADING) delete env[name];
  try {
    const child = spawn(program, [...first, ...args], { detached: true, cwd: folder, env, stdio, windowsHide: true });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    child.on("error", () => {});
    child.unref();
    return child;
  } catch (error) {
    throw new PetitError("start-failed", `Cannot start "${program}": ${messageOf(error)}`, { cause: error });
  }
}

function openErrors(file: string): number {
  try {
    return openSync(file, "w", 0o600);
  } catch (error) {
    throw new PetitError("state-unwritable", `Cannot write "${file}": ${messageOf(error)}`, {
      hint: "Check that the folder belongs to this user and that the disk has room",
      cause: error,
    });
  }
}
