import type { Command } from "./command.ts";

/** Whether a path begins with these words. */
export function beginsWith(path: readonly string[], words: readonly string[]): boolean {
  return words.length <= path.length && words.every((word, i) => path[i] === word);
}

/** The words that may follow `words` in a command, in the order of the table. */
export function nextWords(commands: readonly Command[], words: readonly string[]): string[] {
  const below = commands.filter(({ path, hidden }) =>
    hidden !== true && path.length > words.length && beginsWith(path, words)
  );
  return [...new Set(below.map(({ path }) => path[words.length] as string))];
}

/** The command whose words `argv` begins with, the longest of them. */
export function longestCommand(commands: readonly Command[], argv: readonly string[]): Command | undefined {
  let longest: Command | undefined;
  for (const command of commands) {
    if (beginsWith(argv, command.path) && command.path.length > (longest?.path.length ?? 0)) longest = command;
  }
  return longest;
}

/** As many words at the beginning of `argv` as lead to a command or to a group of commands. */
export function commonWords(commands: readonly Command[], argv: readonly string[]): string[] {
  let depth = 0;
  while (depth < argv.length && commands.some(({ path }) => beginsWith(path, argv.slice(0, depth + 1)))) depth++;
  return argv.slice(0, depth);
}
