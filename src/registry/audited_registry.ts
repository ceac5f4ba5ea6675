import type { Audit, AuditEvent, AuditFacts } from "../audit/audit_event.ts";
import type { AccessStore } from "./access.ts";
import { isMadeBy, type Registry } from "./registry.ts";

/** Characters of a join code's hash by which it is known. */
const JOIN_ID = 16;

type Told = readonly [event: AuditEvent, facts: AuditFacts];

/** What is told of a change that has been made; nothing of those that are missing here. */
type Changes<Target> = {
  readonly [Method in keyof Target]?: Target[Method] extends (...given: infer Given) => infer Result
    ? (result: Result, ...given: Given) => Told | undefined
    : never;
};

const CHANGES: Changes<Registry> = {
  // What was there already is found by the same call.
  register: (registration, request) => {
    const { id, port, fingerprint: key, brand, tenant } = registration;
    return isMadeBy(registration, request) ? ["registration-made", { id, port, key, brand, tenant }] : undefined;
  },
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

const ACCESS_CHANGES: Changes<AccessStore> = {
  setRule: (_, id, rule) => ["access-changed", { id, rule: rule === null ? "default" : JSON.stringify(rule) }],
  add: (_, { id, registration, kind, user, label, expiresAt }) => [
    "credential-granted",
    {
      ...{ id: registration, credential: id, kind, user: kind === "basic" ? user : undefined, label },
      expires: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    },
  ],
  revoke: ({ id, registration, kind, user, label }) => [
    "credential-revoked",
    { id: registration, credential: id, kind, user: kind === "basic" ? user : undefined, label },
  ],
};

/** The same registry, whose changes by an operator go into the audit log. A change that failed is none. */
export function auditedRegistry(registry: Registry, audit: Audit): Registry {
  return audited(registry, CHANGES, audit, { access: audited(registry.access, ACCESS_CHANGES, audit) });
}

/** @param members in place of the target's own */
function audited<Target extends object>(
  target: Target,
  changes: Changes<Target>,
  audit: Audit,
  members: Partial<Target> = {},
): Target {
  return new Proxy(target, {
    get(target, name) {
      const member: unknown = members[name as keyof Target] ?? Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const told = changes[name as keyof Target] as ((...facts: unknown[]) => Told | undefined) | undefined;
      return (...given: unknown[]) => {
        const result: unknown = Reflect.apply(member, target, given);
        const entry = told?.(result, ...given);
        if (entry !== undefined) audit.record(...entry);
        return result;
      };
    },
  });
}
