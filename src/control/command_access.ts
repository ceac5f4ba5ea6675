import type { LocalAccess } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Role } from "../platform/folder_lock.ts";
import type { CommandWord } from "./command_words.ts";

/** Who may give which commands on a port that every user of this machine can reach. */
export interface CommandAccess {
  /** What is open to those without the token; asked anew for each command. */
  open(): LocalAccess;
  /** Whether that is the token of the REST API. @throws PetitError as `apiToken` */
  isToken(given: string): boolean;
  readonly role: Role;
}

/** Before a command: "AUTH TOKEN STOP". */
const AUTH = "AUTH";

/** A command without the token before it, and whether that was right. @throws PetitError `token-wrong` */
export function authorized(text: string, access: CommandAccess | undefined): { command: string; owner: boolean } {
  // Whoever reaches a socket that is this user's alone is this user.
  if (access === undefined) return { command: text.replace(/^AUTH +\S+ +/, ""), owner: true };
  const [first, token = "", ...command] = text.split(/ +/);
  if (first !== AUTH) return { command: text, owner: false };
  if (access.isToken(token)) return { command: command.join(" "), owner: true };
  throw new PetitError("token-wrong", "The token is not that of this daemon");
}

/** @throws PetitError `command-closed` */
export function refuseClosed(name: string, word: CommandWord, { open, role }: CommandAccess): void {
  const granted = open();
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
