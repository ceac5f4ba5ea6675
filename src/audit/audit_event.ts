/** What the audit log tells of, by name. Names are for programs: they never change. */
export const AUDIT_EVENTS = [
  "log-begun",
  "log-pruned",
  "entries-lost",
  "server-started",
  "server-stopped",
  "config-changed",
  "registration-made",
  "registration-refused",
  "registration-removed",
  "registrations-imported",
  "registry-begun-anew",
  "alias-added",
  "alias-removed",
  "join-code-made",
  "join-code-revoked",
  "login-accepted",
  "login-refused",
  "source-throttled",
  "permission-refused",
  "client-disconnected",
  "access-changed",
  "credential-granted",
  "credential-revoked",
  "caller-refused",
  "host-key-changed",
  "token-made",
  "token-revoked",
] as const;

export type AuditEvent = typeof AUDIT_EVENTS[number];

/** What there is to know of an event; never a secret, and never a caller's or a client's text at any length. */
export type AuditFacts = Readonly<Record<string, string | number | boolean | null | readonly string[] | undefined>>;

/** Whoever writes down what concerns security. Never throws, and waits for nothing. */
export interface Audit {
  record(event: AuditEvent, facts: AuditFacts): void;
  /**
   * The same for what anyone on the internet can cause: the first of its kind is told, and those that follow within a minute are counted.
   * @param kind tells them apart
   */
  recordOften(event: AuditEvent, kind: string, facts: AuditFacts): void;
}

/** Nobody writes anything down. */
export const NO_AUDIT: Audit = { record() {}, recordOften() {} };
