import { messageOf, PetitError } from "../error.ts";
import { authorized, type CommandAccess, refuseClosed } from "./command_access.ts";

/** What one word of a command port does. */
export interface CommandWord {
  /**
   * Does it. What it resolves to is sent as JSON; undefined sends nothing.
   * @param words what follows the word itself, split at spaces
   * @throws PetitError which is told to whoever asks
   */
  run(words: readonly string[]): unknown;
  /**
   * Tools of 0.6.x wait for the end of the connection and read nothing: an answer that waits to be read would keep them waiting for ever. So nothing
   * is sent where the asker has ended its direction behind the word.
   */
  readonly silent?: true;
  /** Changes nothing, and tells what 0.6.x tells everybody. */
  readonly reads?: true;
}

/** The words of a command port, in capitals. */
export type CommandWords = Readonly<Record<string, CommandWord>>;

export interface Carrying {
  /** Undefined where only the daemon's own user can ask. */
  readonly access: CommandAccess | undefined;
  /** Told of a fault of petit's own. */
  onFault(error: unknown): void;
  /** Told what was not done for want of permission. */
  onRefused(error: PetitError): void;
}

/** The word that a command begins with, whatever token stands before it. */
export function wordOf(words: CommandWords, text: string): CommandWord | undefined {
  const name = text.replace(/^AUTH +\S+ +/, "").split(" ", 1)[0] as string;
  return Object.hasOwn(words, name) ? words[name] : undefined;
}

/** Carries out one command. Never rejects: what goes wrong is an answer too, in both of the forms that tools of 0.6.x look for. */
export async function carryOut(
  words: CommandWords,
  text: string,
  { access, onFault, onRefused }: Carrying,
): Promise<unknown> {
  try {
    const { command, scope } = authorized(text, access);
    const [name = "", ...rest] = command.split(/ +/);
    const word = Object.hasOwn(words, name) ? words[name] : undefined;
    if (word === undefined) {
      throw new PetitError("command-unknown", `There is no command "${name.slice(0, 100)}"`, {
        hint: `There are: ${Object.keys(words).join(", ")}`,
      });
    }
    if (access !== undefined) refuseClosed(name, word, scope, access);
    return await word.run(rest);
  } catch (error) {
    if (error instanceof PetitError) {
      if (error.code === "command-closed" || error.code === "token-wrong") onRefused(error);
      return failure(error);
    }
    onFault(error);
    return failure(new PetitError("internal", `This is a fault of petit's own: ${messageOf(error)}`));
  }
}

/** An error as a command port tells it. */
export interface CommandFailure {
  readonly success: false;
  readonly type: "error";
  readonly error: string;
  readonly code: string;
  readonly hint?: string;
}

function failure({ message, code, hint }: PetitError): CommandFailure {
  return { success: false, type: "error", error: message, code, ...(hint === undefined ? {} : { hint }) };
}
