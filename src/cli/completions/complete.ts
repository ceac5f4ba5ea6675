import process from "node:process";
import type { Invocation } from "../commands/command.ts";
import { commands } from "../commands/commands.ts";
import { candidatesFor } from "./candidates.ts";
import { lookUpState } from "./lookup_state.ts";

/**
 * What the shells' scripts call: `petit __complete WORD… :CURRENT`. The word at the cursor comes with a colon before it, since Windows
 * PowerShell drops arguments that are empty. Prints one line for each candidate, value and description with a tab between them,
 * and ":file" where the shell itself is to complete a file's name.
 */
export function complete({ positionals }: Invocation): number {
  const typed = positionals.slice(0, -1);
  const current = (positionals.at(-1) ?? ":").replace(/^:/, "");
  const { candidates, file } = candidatesFor(commands, typed, current, lookUpState);
  const lines = candidates.map(({ value, description }) => `${value}\t${description}\n`);
  process.stdout.write([...lines, ...file ? [":file\n"] : []].join(""));
  return 0;
}
