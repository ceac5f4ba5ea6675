import type { ParseArgsOptionDescriptor } from "node:util";

/** An option of a command, as `--name`. */
export interface Option extends ParseArgsOptionDescriptor {
  /** One line for the help; begins in lower case. */
  readonly help: string;
  /** What its value is called in the help ("N"); flags have none. */
  readonly value?: string;
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
  readonly summary: string;
  readonly options?: Readonly<Record<string, Option>>;
  readonly examples?: readonly string[];
  /** Loads what does the work: nothing is loaded that the command does not need. Resolves to the exit code. */
  run(invocation: Invocation): Promise<number>;
}
