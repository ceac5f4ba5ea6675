import type { ParseArgsOptionDescriptor } from "node:util";

/** An option of a command, as `--name`. */
export interface Option extends ParseArgsOptionDescriptor {
  /** One line for the help; begins in lower case. */
  readonly help: string;
  /** What its value is called in the help ("N", "FILE"); flags have none. */
  readonly value?: string;
  /** The values there are, where they can be listed; for completions. */
  readonly choices?: readonly string[];
}

/** What a command is called with. */
export interface Invocation {
  readonly values: Record<string, string | boolean | undefined>;
  readonly positionals: string[];
}

/** One line of the table of commands. */
export interface Command {
  /** The words that select it, such as ["server", "join"]. */
  readonly path: readonly string[];
  /** Positional arguments, for the usage line. */
  readonly arguments?: string;
  /** At most this many of them. */
  readonly maxArguments?: number;
  /** For each argument the values there are, where they can be listed; for completions. */
  readonly argumentChoices?: readonly (readonly string[])[];
  readonly summary: string;
  /** What else a person should know: lines below the summary in the command's own help. */
  readonly description?: readonly string[];
  readonly options?: Readonly<Record<string, Option>>;
  /** At least one; a short form takes those of the command that it stands for. */
  readonly examples?: readonly string[];
  /** The words of the command that this one is a short form of. */
  readonly shortFor?: readonly string[];
  /** Not listed, for programs; all that follows comes as positionals. */
  readonly hidden?: boolean;
  /** Loads what does the work: nothing is loaded that the command does not need. Resolves to the exit code. */
  run(invocation: Invocation): Promise<number>;
}
