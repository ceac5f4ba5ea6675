import { closest } from "../closest.ts";
import { PetitError } from "../error.ts";
import type { Command } from "./commands/command.ts";
import { commonWords, longestCommand, nextWords } from "./commands/command_tree.ts";

/** The command with the most words in common with `argv`. @throws PetitError `command-missing`, `command-unknown` */
export function selectCommand(commands: readonly Command[], argv: readonly string[]): Command {
  const selected = longestCommand(commands, argv);
  const words = commonWords(commands, argv);
  const next = argv[words.length];
  const typedWord = next !== undefined && !next.startsWith("-");
  // A word where no argument belongs is a mistyped command.
  const misplaced = typedWord && (selected?.maxArguments ?? 0) === 0 && nextWords(commands, words).length > 0;
  if (selected !== undefined && selected.path.length === words.length && !misplaced) return selected;
  if (!typedWord) {
    const group = ["petit", ...words].join(" ");
    const message = words.length === 0 ? "Which command?" : `Which command of "${group}"?`;
    throw new PetitError("command-missing", message, { hint: `"${group} --help" lists them`, exitCode: 2 });
  }
  const typed = [...words, next];
  const meant = corrections(commands, argv, typed);
  throw new PetitError("command-unknown", `There is no command "petit ${typed.join(" ")}"`, {
    hint: meant.length === 0
      ? `"${["petit", ...words, "--help"].join(" ")}" lists what there is`
      : `Did you mean ${meant.map((path) => `"petit ${path.join(" ")}"`).join(" or ")}`,
    exitCode: 2,
  });
}

/** What was probably meant: the word in another group, or the nearest word at each place. */
function corrections(
  commands: readonly Command[],
  argv: readonly string[],
  typed: readonly string[],
): readonly (readonly string[])[] {
  const nearest = corrected(commands, argv);
  if (nearest.length >= typed.length) return [nearest];
  const elsewhere = commands.filter(({ path, hidden }) =>
    hidden !== true && path.length > 1 && path.at(-1) === typed.at(-1)
  );
  return elsewhere.map(({ path }) => path);
}

/** The words of a command, each the nearest to what was typed, as far as there are any. */
function corrected(commands: readonly Command[], argv: readonly string[]): string[] {
  const words: string[] = [];
  for (const typed of argv) {
    const candidates = nextWords(commands, words);
    const word = candidates.includes(typed) ? typed : typed.startsWith("-") ? undefined : closest(typed, candidates);
    if (word === undefined) break;
    words.push(word);
  }
  return words;
}
