import { messageOf, PetitError } from "../error.ts";

/** What a client is told: paths of this machine are none of its business. */
const UNWRITTEN = "The server cannot write its registry at present, so nothing was changed; its log says why";
const NOWHERE = "The server cannot tell at present where clients log in, so nothing was changed; its log says why";

/** What is said of a fault of this server's surroundings; undefined for all else. */
function sentenceOf(error: unknown): string | undefined {
  if (!(error instanceof PetitError)) return undefined;
  if (error.code.startsWith("registry-") || error.code === "state-unwritable") return UNWRITTEN;
  return error.code.startsWith("sshd-") ? NOWHERE : undefined;
}

/** Whether it is this server's own disk, or its sshd, that keeps it from doing what a client asked. */
export function isOwnFault(error: unknown): boolean {
  return sentenceOf(error) !== undefined;
}

/** What a client is told of an error, as a sentence and a stable code. */
export function toldError(error: unknown): { readonly code: string; readonly error: string } {
  if (!(error instanceof PetitError)) return { code: "internal", error: "The server could not answer" };
  return { code: error.code, error: sentenceOf(error) ?? messageOf(error) };
}
