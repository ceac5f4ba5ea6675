import process from "node:process";
import { parseArgs } from "node:util";
import { closest } from "../closest.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Command, Invocation } from "./command.ts";
import { commands } from "./commands.ts";
import { commandHelp, generalHelp } from "./help.ts";

/**
 * Runs the command that the arguments name.
 *
 * @param argv without the program itself
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 the daemon is not running
 */
export async function main(argv: string[]): Promise<number> {
  try {
    if (argv.length === 0 || argv[0] === "-h" || argv[0] === "--help" || argv[0] === "help") {
      process.stdout.write(generalHelp());
      return 0;
    }
    if (argv[0] === "--version") argv = ["version"];
    const command = select(argv);
    const rest = argv.slice(command.path.length);
    if (rest.includes("-h") || rest.includes("--help")) {
      process.stdout.write(commandHelp(command));
      return 0;
    }
    return await command.run(parse(command, rest));
  } catch (error) {
    return report(error);
  }
}

/** The command with the most words in common with `argv`. @throws PetitError `command-unknown` */
function select(argv: string[]): Command {
  let selected: Command | undefined;
  for (const command of commands) {
    if (
      command.path.every((word, index) => argv[index] === word) && command.path.length > (selected?.path.length ?? 0)
    ) selected = command;
  }
  const depth = selected?.path.length ?? 0;
  const next = argv[depth];
  const group = commands.filter(({ path }) =>
    path.length === depth + 1 && path.slice(0, depth).every((word, i) => argv[i] === word)
  );
  // A word where no argument belongs is a mistyped command.
  const misplaced = next !== undefined && !next.startsWith("-") && (selected?.maxArguments ?? 0) === 0;
  if (selected !== undefined && !(misplaced && group.length > 0)) return selected;
  if (next === undefined || next.startsWith("-")) {
    throw new PetitError("command-missing", "Which command?", { hint: '"petit --help" lists them', exitCode: 2 });
  }
  const prefix = argv.slice(0, depth);
  const nearest = closest(next, [...new Set(group.map(({ path }) => path[depth] as string))]);
  const typed = ["petit", ...prefix, next].join(" ");
  throw new PetitError("command-unknown", `There is no command "${typed}"`, {
    hint: nearest === undefined
      ? `"${["petit", ...prefix, "--help"].join(" ")}" lists what there is`
      : `Did you mean "${["petit", ...prefix, nearest].join(" ")}"`,
    exitCode: 2,
  });
}

/** @throws PetitError `usage` */
function parse(command: Command, args: string[]): Invocation {
  const help = `"petit ${command.path.join(" ")} --help" tells how it is used`;
  const options = command.options ?? {};
  try {
    const { values, positionals, tokens } = parseArgs({
      args,
      options,
      allowPositionals: true,
      strict: false,
      tokens: true,
    });
    for (const token of tokens) {
      if (token.kind !== "option") continue;
      const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
      if (option === undefined) {
        const nearest = closest(token.name, Object.keys(options));
        throw new PetitError("usage", `There is no option "${token.rawName}"`, {
          hint: nearest === undefined ? help : `Did you mean "--${nearest}"`,
          exitCode: 2,
        });
      }
      if (option.type === "string" && (token.value === undefined || token.value === "")) {
        throw new PetitError("usage", `The option "${token.rawName}" needs a value: ${option.value}`, {
          hint: help,
          exitCode: 2,
        });
      }
      if (option.type === "boolean" && token.value !== undefined) {
        throw new PetitError("usage", `The option "${token.rawName}" takes no value`, { hint: help, exitCode: 2 });
      }
    }
    const surplus = positionals[command.maxArguments ?? 0];
    if (surplus !== undefined) {
      throw new PetitError("usage", `"${surplus}" is one argument too many`, { hint: help, exitCode: 2 });
    }
    return { values: values as Invocation["values"], positionals };
  } catch (error) {
    if (error instanceof PetitError) throw error;
    throw new PetitError("usage", messageOf(error), { hint: help, exitCode: 2, cause: error });
  }
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
