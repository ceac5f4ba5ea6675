import { messageOf, PetitError } from "../error.ts";

/** What a client is told: paths of this machine are none of its business. */
const UNWRITTEN = "The server cannot write its registry at present, so nothing was changed; its log says why";

/** Whether it is this server's own disk that keeps it from doing what a client asked. */
export function isUnwritten(error: unknown): boolean {
  return error instanceof PetitError && (error.code.startsWith("registry-") || error.code === "state-unwritable");
}

/** What a client is told of an error, as a sentence and a stable code. */
export function toldError(error: unknown): { readonly code: string; readonly error: string } {
  if (!(error instanceof PetitError)) return { code: "internal", error: "The server could not answer" };
  return { code: error.code, error: isUnwritten(error) ? UNWRITTEN : messageOf(error) };
}
