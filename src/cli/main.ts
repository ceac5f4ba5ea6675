import process from "node:process";
import { PetitError } from "../error.ts";
import { commonWords, longestCommand } from "./commands/command_tree.ts";
import { commands } from "./commands/commands.ts";
import { commandHelp, generalHelp } from "./help.ts";
import { parseArguments } from "./parse_arguments.ts";
import { selectCommand } from "./select_command.ts";

/**
 * Runs the command that the arguments name.
 *
 * @param argv without the program itself
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not running
 */
export async function main(argv: string[]): Promise<number> {
  try {
    if (argv[0] === "--version") argv = ["version", ...argv.slice(1)];
    const about = helpAsked(argv);
    if (about !== undefined) {
      process.stdout.write(help(about));
      return 0;
    }
    const command = selectCommand(commands, argv);
    return await command.run(parseArguments(command, argv.slice(command.path.length), commands));
  } catch (error) {
    return report(error);
  }
}

/** The words of which help is wanted, or undefined: "petit", "petit server --help", "petit help server", "petit server help join". */
function helpAsked(argv: readonly string[]): string[] | undefined {
  const words = commonWords(commands, argv);
  const rest = argv.slice(words.length);
  // What a hidden command gets is a line that somebody else has typed.
  if (longestCommand(commands, words)?.hidden === true) return undefined;
  if (argv.length === 0 || rest[0] === "help") {
    return [
      ...words,
      ...rest.slice(1).filter((word) => !word.startsWith("-")),
    ];
  }
  const end = rest.indexOf("--");
  const options = end === -1 ? rest : rest.slice(0, end);
  if (!options.includes("-h") && !options.includes("--help")) return undefined;
  const next = rest[0] as string;
  return next.startsWith("-") || (longestCommand(commands, words)?.maxArguments ?? 0) > 0 ? words : [...words, next];
}

/** @throws PetitError `command-unknown` */
function help(about: readonly string[]): string {
  if (about.length === 0) return generalHelp();
  const words = commonWords(commands, about);
  const command = longestCommand(commands, words);
  if (words.length < about.length) selectCommand(commands, about);
  return commandHelp(words, command?.path.length === words.length ? command : undefined);
}

/** Prints an error for people on standard error. */
function report(error: unknown): number {
  if (error instanceof PetitError) {
    process.stderr.write(`petit: ${error.message}\n${error.hint === undefined ? "" : `       ${error.hint}\n`}`);
    return error.exitCode;
  }
  process.stderr.write(
    `petit: This is a fault of petit's own: ${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return 1;
}
