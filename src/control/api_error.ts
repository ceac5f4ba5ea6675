import { z } from "zod";
import { PetitError } from "../error.ts";

/**
 * What every request that fails is answered with. The reason stands twice: scripts of 0.6.x show `error`. (The problem details of RFC 9457
 * would have to carry both of these beside `title` and `detail`, under another media type than those scripts expect.)
 */
export const apiErrorSchema = z.object({
  code: z.string().meta({ description: "Stable name of what went wrong" }),
  message: z.string().meta({ description: "What went wrong, for people" }),
  hint: z.string().optional().meta({ description: "What can be done about it" }),
  error: z.string().meta({ description: "The message once more, for scripts of petit 0.6" }),
}).meta({ id: "Error", description: "Why a request failed" });

export type ApiError = z.output<typeof apiErrorSchema>;

/** The statuses of errors. */
const CODES: Record<number, readonly string[]> = {
  400: ["request-invalid", "range-invalid", "credential-invalid"],
  401: ["token-missing", "token-wrong"],
  403: ["origin-refused", "token-scope"],
  404: [
    "not-found",
    "registration-unknown",
    "credential-unknown",
    "alias-unknown",
    "join-code-unknown",
    "tenant-unknown",
    "usage-off",
    "audit-off",
  ],
  405: ["method-not-allowed"],
  // The state of things does not allow it.
  409: [
    ...[
      "alias-taken",
      "already-registered",
      "join-code-ambiguous",
      "join-code-needed",
      "not-connected",
      "not-registered",
    ],
    ...[
      "other-server",
      "port-unknown",
      "tenant-exists",
      "too-many-registrations",
      "user-taken",
      "tunnel-away",
      "join-code-used",
      "join-code-expired",
      "join-code-brand",
    ],
    ...["host-key-not-rotating", "host-key-rotating", "host-key-unaware"],
  ],
  413: ["body-too-large"],
  415: ["not-json"],
  421: ["host-refused"],
  501: ["not-supported"],
  // A client could not do it with its server.
  502: [
    ...[
      "backchannel-lost",
      "backchannel-refused",
      "connection-lost",
      "host-key-mismatch",
      "host-key-unknown",
      "login-refused",
    ],
    ...[
      "ping-unanswered",
      "ports-exhausted",
      "registration-closed",
      "server-name-unknown",
      "server-not-ssh",
      "server-refused",
      "server-unreachable",
    ],
  ],
  503: ["daemon-starting", "usage-unusable"],
};

const STATUS = new Map(Object.entries(CODES).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)])));

/** The status under which an error is told: 422 where what was asked for is wrong, 500 where petit's surroundings are, such as a full disk. */
export function statusOf(error: PetitError): number {
  return STATUS.get(error.code) ?? (error.exitCode === 2 ? 422 : 500);
}

export function apiError({ code, message, hint }: Pick<PetitError, "code" | "message" | "hint">): ApiError {
  return { code, message, ...(hint === undefined ? {} : { hint }), error: message };
}
