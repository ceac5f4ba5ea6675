import process from "node:process";
import { PetitError } from "../../error.ts";
import type { Invocation } from "../commands/command.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { powershellScript } from "./powershell.ts";
import { zshScript } from "./zsh.ts";

const scripts: Readonly<Record<string, string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
  powershell: powershellScript,
};

/** Prints the script that teaches a shell petit's commands. @throws PetitError `usage` */
export function completions({ positionals: [shell] }: Invocation): number {
  const script = shell === undefined || !Object.hasOwn(scripts, shell) ? undefined : scripts[shell];
  if (script === undefined) {
    const known = Object.keys(scripts);
    throw new PetitError(
      "usage",
      shell === undefined ? "Completions for which shell?" : `There are no completions for "${shell}"`,
      {
        hint: `Wanted: ${known.slice(0, -1).join(", ")} or ${known.at(-1)}`,
        exitCode: 2,
      },
    );
  }
  process.stdout.write(script);
  return 0;
}
