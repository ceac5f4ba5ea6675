import { parseArgs } from "node:util";
import { closest } from "../closest.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Command, Invocation, Option } from "./commands/command.ts";

/** Reads what follows the command's words. @throws PetitError `usage` */
export function parseArguments(command: Command, args: string[], commands: readonly Command[]): Invocation {
  if (command.hidden === true) return { values: {}, positionals: args };
  const help = `"petit ${command.path.join(" ")} --help" tells how it is used`;
  const wrong = (message: string, hint = help, cause?: unknown) =>
    new PetitError("usage", message, { hint, exitCode: 2, cause });
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
        const meant = meantOption(args[token.index] ?? token.rawName, options);
        throw wrong(`There is no option "${token.rawName}"`, meant === undefined ? help : `Did you mean "--${meant}"`);
      }
      if (option.type === "string" && (token.value === undefined || token.value === "")) {
        throw wrong(`The option "${token.rawName}" needs a value: ${option.value}`);
      }
      if (option.type === "boolean" && token.value !== undefined) {
        throw wrong(`The option "${token.rawName}" takes no value`);
      }
    }
    const surplus = positionals[command.maxArguments ?? 0];
    if (surplus !== undefined) {
      const turned = [surplus, ...command.path].join(" ");
      const exists = commands.some(({ path }) => path.join(" ") === turned);
      throw wrong(`"${surplus}" is one argument too many`, exists ? `Did you mean "petit ${turned}"` : help);
    }
    return { values: values as Invocation["values"], positionals };
  } catch (error) {
    if (error instanceof PetitError) throw error;
    throw wrong(messageOf(error), help, error);
  }
}

/** The option that a mistyped one was probably meant to be; "-json" is taken for "--json". */
function meantOption(typed: string, options: Readonly<Record<string, Option>>): string | undefined {
  const name = typed.replace(/^--?/, "").replace(/=.*$/s, "");
  return name.length < 2 ? undefined : closest(name, [...Object.keys(options), "help"]);
}
