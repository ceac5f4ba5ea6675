import { realpathSync } from "node:fs";
import process from "node:process";

/** The program and the first arguments with which this petit can be started again: the executable, or a runtime and `main.ts`. */
export function selfCommand(): [program: string, ...args: string[]] {
  // Linux says this of an executable that was replaced while it ran: what is there now is the one to start.
  const program = process.execPath.replace(/ \(deleted\)$/, "");
  if (isCompiled()) return [program];
  const main = realpathSync(process.argv[1] as string);
  return "deno" in process.versions ? [program, "run", "--quiet", "--allow-all", main] : [program, main];
}

/** Whether this is one executable file with petit in it. */
function isCompiled(): boolean {
  const { Deno } = globalThis as { Deno?: { build: { standalone?: boolean } } };
  // Bun's executables have their files in a file system of their own: "/$bunfs/root/petit", on Windows "B:\~BUN\root\petit.exe".
  return Deno?.build.standalone === true || /[\\/](?:\$bunfs|~BUN)[\\/]/.test(process.argv[1] ?? "");
}
