import type { Command, Option } from "../commands/command.ts";
import { commonWords, longestCommand, nextWords } from "../commands/command_tree.ts";

/** What may stand at a place of the command line. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What may stand where the cursor is: candidates, or a file that the shell knows how to complete. */
export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly file: boolean;
}

/** Finds the values of a kind ("TENANT", "ID") that only the disk knows. */
export type Lookup = (kind: string, typed: readonly string[]) => readonly Candidate[];

const NONE: Candidates = { candidates: [], file: false };

/**
 * What may follow.
 *
 * @param typed the words behind "petit", before the one at the cursor. "--name=value" may also come as three, as bash parts it
 * @param current the word at the cursor as far as it is typed, or empty
 */
export function candidatesFor(
  commands: readonly Command[],
  typed: readonly string[],
  current: string,
  lookup: Lookup,
): Candidates {
  const asksHelp = typed[0] === "help";
  const argv = asksHelp ? typed.slice(1) : typed;
  const words = commonWords(commands, argv);
  const command = longestCommand(commands, words);
  const options = command?.path.length === words.length ? command.options ?? {} : {};
  const rest = argv.slice(words.length);
  const { open, positionals } = read(rest, options);
  if (open !== undefined) return valuesOf(open, current === "=" ? "" : current, typed, lookup);
  // Behind a word that does not belong there nothing can be known.
  if (positionals > (command?.maxArguments ?? 0)) return NONE;
  const assigned = /^(--[^=]+)=(.*)$/s.exec(current);
  if (assigned !== null && !asksHelp) {
    const [, name = "", value = ""] = assigned;
    const found = valuesOf(options[name.slice(2)], value, typed, lookup);
    return { ...found, candidates: found.candidates.map((one) => ({ ...one, value: `${name}=${one.value}` })) };
  }
  const matching = (all: readonly Candidate[]) => all.filter(({ value }) => value.startsWith(current));
  if (current.startsWith("-")) return { candidates: matching(asksHelp ? [] : optionCandidates(options)), file: false };
  const below = rest.length > 0 ? [] : nextWords(commands, words).map((word) => ({
    value: word,
    description: describe(commands, [...words, word]),
  }));
  if (words.length === 0 && rest.length === 0 && !asksHelp) {
    below.push({ value: "help", description: "Tell about a command" });
  }
  const argument = asksHelp || command === undefined || positionals >= (command.maxArguments ?? 0)
    ? NONE
    : argumentAt(command, positionals, current, typed, lookup);
  const candidates = [...matching(below), ...argument.candidates];
  if (candidates.length > 0 || argument.file || current !== "" || asksHelp) return { ...argument, candidates };
  // Nothing but options is left, or what is wanted cannot be known.
  return { candidates: optionCandidates(options), file: false };
}

/** What a command does; of a group, its commands. */
function describe(commands: readonly Command[], words: readonly string[]): string {
  const command = commands.find(({ path }) => path.join(" ") === words.join(" "));
  return command?.summary ?? nextWords(commands, words).join(", ");
}

/** How many arguments there are in what was typed, and the option that waits for its value. */
function read(
  rest: readonly string[],
  options: Readonly<Record<string, Option>>,
): { open?: Option; positionals: number } {
  let open: Option | undefined;
  let positionals = 0;
  for (const word of rest) {
    if (word === "=") continue;
    if (open !== undefined) {
      open = undefined;
    } else if (word.startsWith("-")) {
      const option = Object.entries(options).find(([name, { short }]) => word === `--${name}` || word === `-${short}`)
        ?.[1];
      if (option?.type === "string") open = option;
    } else positionals++;
  }
  return { ...(open === undefined ? {} : { open }), positionals };
}

function optionCandidates(options: Readonly<Record<string, Option>>): Candidate[] {
  return [
    ...Object.entries(options).map(([name, { help }]) => ({ value: `--${name}`, description: help })),
    { value: "--help", description: "show this help" },
  ];
}

function valuesOf(option: Option | undefined, current: string, typed: readonly string[], lookup: Lookup): Candidates {
  if (option?.type !== "string") return NONE;
  return values(option.value ?? "", option.choices, option.help, current, typed, lookup);
}

function argumentAt(
  { arguments: usage = "", argumentChoices = [] }: Command,
  index: number,
  current: string,
  typed: readonly string[],
  lookup: Lookup,
): Candidates {
  const kind = (usage.split(" ")[index] ?? "").replace(/^\[|\]$/g, "");
  return values(kind, argumentChoices[index], "", current, typed, lookup);
}

function values(
  kind: string,
  choices: readonly string[] | undefined,
  description: string,
  current: string,
  typed: readonly string[],
  lookup: Lookup,
): Candidates {
  if (kind === "FILE" || kind === "FOLDER") return { candidates: [], file: true };
  const all = choices?.map((value) => ({ value, description })) ?? lookup(kind, typed);
  return { candidates: all.filter(({ value }) => value.startsWith(current)), file: false };
}
