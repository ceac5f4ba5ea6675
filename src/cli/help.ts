import type { Command } from "./command.ts";
import { commands } from "./commands.ts";

/** The help of everything, or of one group of commands ("server"). */
export function generalHelp(group?: string): string {
  const listed = commands.filter(({ path }) => group === undefined || path[0] === group);
  const width = Math.max(...listed.map((command) => usageOf(command).length)) + 2;
  const lines = listed.map((command) => `  ${usageOf(command).padEnd(width)}${command.summary}`);
  return [
    "petit lets a cloud service reach one private service on a customer's machine, through a reverse SSH tunnel.",
    "",
    "Commands:",
    ...lines,
    "",
    '"petit COMMAND --help" tells more about one command.',
    "",
  ].join("\n");
}

/** The help of one command, and of those that begin with its words. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options ?? {}).map(([name, option]) => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    return [`  ${short}--${name}${option.value === undefined ? "" : ` ${option.value}`}`, option.help] as const;
  });
  options.push(["  -h, --help", "show this help"]);
  const width = Math.max(...options.map(([left]) => left.length)) + 2;
  const below = commands.filter(({ path }) =>
    path.length > command.path.length && command.path.every((word, i) => path[i] === word)
  );
  return [
    `Usage: ${usageOf(command)} [OPTIONS]`,
    "",
    command.summary,
    "",
    "Options:",
    ...options.map(([left, right]) => `${left.padEnd(width)}${right}`),
    ...(command.examples === undefined ? [] : ["", "Examples:", ...command.examples.map((example) => `  ${example}`)]),
    ...(below.length === 0
      ? []
      : ["", "Commands:", ...below.map((other) => `  ${usageOf(other).padEnd(36)}${other.summary}`)]),
    "",
  ].join("\n");
}

function usageOf({ path, arguments: positional }: Command): string {
  return ["petit", ...path, ...(positional === undefined ? [] : [positional])].join(" ");
}
