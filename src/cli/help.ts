import process from "node:process";
import { paint } from "./terminal/colours.ts";
import type { Command } from "./commands/command.ts";
import { beginsWith } from "./commands/command_tree.ts";
import { commands } from "./commands/commands.ts";
import { columnsOf } from "./terminal/terminal.ts";
import { definitions, wrap } from "./terminal/wrap.ts";

const ABOUT =
  "petit lets a cloud service reach one private service on a customer's machine, through a reverse SSH tunnel.";
const MORE = '"petit COMMAND --help" or "petit help COMMAND" tells more about one command.';

/** The help of everything. */
export function generalHelp(): string {
  const width = helpWidth();
  const short = commands.filter(({ shortFor }) => shortFor !== undefined).map(({ path }) => path.join(" "));
  const other = commands.filter(({ path, shortFor }) =>
    shortFor === undefined && !["server", "client"].includes(path[0] as string)
  );
  return [
    wrap(ABOUT, width),
    ...section("The server, on the public host", list(["server"], width)),
    ...section("The client, beside the private service", list(["client"], width)),
    ...section("Short forms", [`  ${wrap(`${short.join(", ")}: as with "client" before it`, width - 2, "  ")}`]),
    ...section("Other", entries(other, width)),
    "",
    wrap(MORE, width),
    "",
  ].join("\n");
}

/** The help of one command or group ("service"), and of the commands that begin with its words. */
export function commandHelp(words: readonly string[], command: Command | undefined): string {
  const width = helpWidth();
  const below = commands.filter(({ path }) => path.length > words.length && beginsWith(path, words));
  const options = Object.entries(command?.options ?? {}).map(([name, option]) => {
    const short = option.short === undefined ? "    " : `-${option.short}, `;
    return [`  ${short}--${name}${option.value === undefined ? "" : ` ${option.value}`}`, option.help] as const;
  });
  options.push(["  -h, --help", "show this help"]);
  const about = [command?.summary, ...command?.description ?? []].filter((text) => text !== undefined);
  return [
    wrap(
      `Usage: petit ${command === undefined ? `${words.join(" ")} COMMAND` : wordsOf(command)} [OPTIONS]`,
      width,
      "       ",
    ),
    ...about.flatMap((text) => ["", wrap(text, width)]),
    ...section("Options", definitions(options, width)),
    ...section("Examples", (command?.examples ?? []).map((example) => `  ${example}`)),
    ...section("Commands", entries(below, width)),
    "",
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", paint("bold", `${title}:`), ...lines];
}

/** The commands of a side; what is below one of them, such as "server join list", is in that one's own help. */
function list(words: readonly string[], width: number): string[] {
  return entries(
    commands.filter(({ path, shortFor }) => shortFor === undefined && path.length < 3 && beginsWith(path, words)),
    width,
  );
}

/** One line for each command; "run" is shown with the command that does it by itself. */
function entries(these: readonly Command[], width: number): string[] {
  const shown = these.filter((command) =>
    command.hidden !== true && !(isRun(command) && parentOf(command) !== undefined)
  );
  return definitions(shown.map((command) => [`  ${wordsOf(command)}`, command.summary] as const), width);
}

/** The words of a command and its arguments: "server addalias ID ALIAS". */
function wordsOf(command: Command): string {
  const run = commands.some((other) => isRun(other) && parentOf(other) === command) ? ["[run]"] : [];
  return [...command.path, ...run, ...(command.arguments === undefined ? [] : [command.arguments])].join(" ");
}

function isRun({ path }: Command): boolean {
  return path.at(-1) === "run";
}

function parentOf({ path }: Command): Command | undefined {
  return commands.find((other) => other.path.length === path.length - 1 && beginsWith(path, other.path));
}

/** As wide as the terminal, but no wider than is read with ease. */
function helpWidth(): number {
  return Math.min(columnsOf(process.stdout) ?? 80, 110);
}
