import type { LocalAccess } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Role } from "../platform/folder_lock.ts";
import type { CommandWord } from "./command_words.ts";
import type { TokenScope } from "./named_tokens.ts";

/** Who may give which commands on a port that every user of this machine can reach. */
export interface CommandAccess {
  /** What is open to those without the token; asked anew for each command. */
  open(): LocalAccess;
  /** What a token of the REST API lets do; undefined where it is none. @throws PetitError as `scopeOfToken` */
  scopeOf(token: string): TokenScope | undefined;
  readonly role: Role;
  /** Told of commands that were not open to whoever gave them. @param code of the error */
  onRefused?(code: string): void;
}

/** Before a command: "AUTH TOKEN STOP". */
const AUTH = "AUTH";

/** A command without the token before it, and what that lets do. @throws PetitError `token-wrong` */
export function authorized(
  text: string,
  access: CommandAccess | undefined,
): { command: string; scope: TokenScope | undefined } {
  // Whoever reaches a socket that is this user's alone is this user.
  if (access === undefined) return { command: text.replace(/^AUTH +\S+ +/, ""), scope: "all" };
  const [first, token = "", ...command] = text.split(/ +/);
  if (first !== AUTH) return { command: text, scope: undefined };
  const scope = access.scopeOf(token);
  if (scope !== undefined) return { command: command.join(" "), scope };
  throw new PetitError("token-wrong", "The token is not that of this daemon");
}

/** @throws PetitError `command-closed` */
export function refuseClosed(
  name: string,
  word: CommandWord,
  scope: TokenScope | undefined,
  { open, role }: CommandAccess,
): void {
  const granted = open();
  if (scope === "all" || (scope === "read" && word.reads === true)) return;
  if (granted === "all" || (granted === "read" && word.reads === true)) return;
  const setting = `[${role}] localAccess = "${granted}"`;
  throw new PetitError(
    "command-closed",
    `The command "${name}" is not open to every user of this machine (${setting})`,
    {
      hint:
        `As the daemon's own user: "petit ${role}", the socket of [${role}] listenSocket, or "AUTH TOKEN ${name}" with what "petit ${role} token" prints`,
    },
  );
}
