import { PetitError } from "../../error.ts";

/** Longest command, in characters; none of petit's has a reason to be longer. */
const MAX_COMMAND = 1000;

/** A command as it was typed, at its white space. No shell is in between: quotes and such have no meaning. */
const wordsOf = (command: string): string[] => command.slice(0, MAX_COMMAND + 1).trim().split(/\s+/);

/** What is asked for: a command's first word. */
export function nameOf(command: string): string {
  return wordsOf(command)[0] ?? "";
}

/**
 * The options of a command: by name, without "--"; flags are true.
 *
 * @param known for each option whether it has a value
 * @throws PetitError `usage`, with exit code 2
 */
export function optionsOf(
  command: string,
  known: Readonly<Record<string, boolean>>,
): ReadonlyMap<string, string | true> {
  const [name = "", ...rest] = wordsOf(command);
  const wrong = (what: string) => new PetitError("usage", what, { hint: '"help" lists the commands', exitCode: 2 });
  if (command.length > MAX_COMMAND) throw wrong(`The command is longer than ${MAX_COMMAND} characters`);
  const options = new Map<string, string | true>();
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, option = "", , inline] = /^--([a-z-]+)(=(.*))?$/.exec(word) ?? [];
    const hasValue = Object.hasOwn(known, option) ? known[option] : undefined;
    if (hasValue === undefined) throw wrong(`"${shown(word)}" means nothing to "${shown(name)}"`);
    const value = hasValue ? inline ?? rest.shift() : inline === undefined ? true : undefined;
    if (value === undefined) throw wrong(`--${option} ${hasValue ? "needs a value" : "has no value"}`);
    options.set(option, value);
  }
  return options;
}

/** What a stranger has typed, short and on one line. */
export function shown(text: string): string {
  return text.slice(0, 60).replaceAll(/[^\x20-\x7e]/g, "?");
}
