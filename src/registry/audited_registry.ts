import type { Audit, AuditEvent, AuditFacts } from "../audit/audit_event.ts";
import type { Registry } from "./registry.ts";

/** Characters of a join code's hash by which it is known. */
const JOIN_ID = 16;

type Told = readonly [event: AuditEvent, facts: AuditFacts];

/** What is told of a change that has been made; nothing of those that are missing here. */
type Changes = {
  readonly [Method in keyof Registry]?: (
    result: ReturnType<Registry[Method]>,
    ...given: Parameters<Registry[Method]>
  ) => Told | undefined;
};

const CHANGES: Changes = {
  unregister: ({ id, port, fingerprint }) => ["registration-removed", { id, port, key: fingerprint }],
  import: ({ added, conflicts }, _registrations, { dryRun }) =>
    dryRun === true || conflicts.length > 0 || added.length === 0
      ? undefined
      : ["registrations-imported", { count: added.length, first: added[0], last: added.at(-1) }],
  addAlias: (_, id, alias) => ["alias-added", { id, alias }],
  removeAlias: (_, id, alias) => ["alias-removed", { id, alias }],
  addJoinCode: (_, { hash, usesLeft, brand, expiresAt }) => [
    "join-code-made",
    { joinCode: hash.slice(0, JOIN_ID), uses: usesLeft, brand, expires: new Date(expiresAt).toISOString() },
  ],
  revokeJoinCode: ({ hash, usesLeft }) => ["join-code-revoked", { joinCode: hash.slice(0, JOIN_ID), usesLeft }],
};

/** The same registry, whose changes by an operator go into the audit log. A change that failed is none. */
export function auditedRegistry(registry: Registry, audit: Audit): Registry {
  return new Proxy(registry, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const told = CHANGES[name as keyof Registry] as ((...facts: unknown[]) => Told | undefined) | undefined;
      return (...given: unknown[]) => {
        const result: unknown = Reflect.apply(member, target, given);
        const entry = told?.(result, ...given);
        if (entry !== undefined) audit.record(...entry);
        return result;
      };
    },
  });
}
