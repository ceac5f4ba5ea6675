/** What a {@link PetitError} may carry besides its message. */
export interface ErrorDetails {
  /** What the reader can do next: one sentence without a full stop. */
  hint?: string;
  cause?: unknown;
  /** Exit code of the command that ends with this error: 1 failed, 2 wrong usage, 3 the daemon is not running. */
  exitCode?: 1 | 2 | 3;
}

/**
 * The one error that reaches people. `code` is stable and lower-case with dashes; the message names the action and the
 * value, in sentence case, without a full stop.
 */
export class PetitError extends Error {
  override name = "PetitError";
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: 1 | 2 | 3;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.exitCode = details.exitCode ?? 1;
  }
}

/** The system's code of an error ("ECONNREFUSED"), or undefined. */
export function systemCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
