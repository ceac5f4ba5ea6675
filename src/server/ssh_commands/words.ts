import { PetitError } from "../../error.ts";

/** Longest command, in characters; none of petit's has a reason to be longer. */
const MAX_COMMAND = 1000;

/** A command as it was typed, in words. */
export interface Words {
  readonly name: string;
  /** By name, without "--"; flags are true. */
  readonly options: ReadonlyMap<string, string | true>;
}

/**
 * Takes a command apart at its white space. No shell is in between: quotes and such have no meaning.
 *
 * @param known for each option whether it has a value
 * @throws PetitError `usage`, with exit code 2
 */
export function wordsOf(command: string, known: Readonly<Record<string, boolean>>): Words {
  const [name = "", ...rest] = command.slice(0, MAX_COMMAND + 1).trim().split(/\s+/);
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
  return { name, options };
}

/** What a stranger has typed, short and on one line. */
export function shown(text: string): string {
  return text.slice(0, 60).replaceAll(/[^\x20-\x7e]/g, "?");
}
