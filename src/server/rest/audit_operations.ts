import { z } from "zod";
import { AUDIT_EVENTS } from "../../audit/audit_event.ts";
import type { AuditLog } from "../../audit/audit_log.ts";
import { type AnyOperation, numberInQuery, operation } from "../../control/operation.ts";
import { PetitError } from "../../error.ts";

const entrySchema = z.object({
  seq: z.int().meta({ description: "1 and up, without a gap" }),
  at: z.iso.datetime(),
  event: z.string().meta({ examples: ["login-refused"] }),
  facts: z.record(z.string(), z.unknown()),
  hash: z.string().meta({ description: "SHA-256 over this entry and all before it" }),
}).meta({ id: "AuditEntry" });

/** The audit log. */
export function auditOperations(audit: AuditLog | undefined): AnyOperation[] {
  return [
    operation({
      method: "get",
      path: "/audit",
      id: "listAudit",
      tag: "audit",
      token: "required",
      summary: "The last entries of the audit log",
      query: z.object({
        limit: numberInQuery(1, 1000).default(100),
        before: numberInQuery(1, Number.MAX_SAFE_INTEGER).optional().meta({
          description: "Only entries before this one: the seq that the page before ended with",
        }),
        event: z.enum(AUDIT_EVENTS).optional(),
      }),
      answered: "The newest first",
      answer: z.object({ entries: z.array(entrySchema) }).meta({ id: "AuditEntries" }),
      handle: ({ query: { limit, before, event } }) => {
        if (audit === undefined) {
          throw new PetitError("audit-off", "No audit log is kept", {
            hint: "Set [server] auditUrl and restart the server",
          });
        }
        return {
          entries: audit.latest(limit, before, event).map(({ at, facts, ...entry }) => ({
            ...entry,
            at: new Date(at).toISOString(),
            facts: JSON.parse(facts) as Record<string, unknown>,
          })),
        };
      },
    }),
  ];
}
