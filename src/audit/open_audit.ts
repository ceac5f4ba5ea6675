import type { ServerConfig } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import type { Audit } from "./audit_event.ts";
import { AuditLog } from "./audit_log.ts";

/** The settings that matter to the audit log. */
export type AuditSettings = Pick<ServerConfig, "auditUrl" | "auditRetention">;

/** The audit log that `[server] auditUrl` names, or undefined where it names none. Never fails: a file that cannot be used is logged and tried again. */
export function openAudit(config: AuditSettings, log: Log, patience?: number): AuditLog | undefined {
  if (config.auditUrl === "") return undefined;
  return new AuditLog({
    path: auditPath(config) as string,
    log,
    // A reload changes it in place.
    retention: () => config.auditRetention,
    ...(patience === undefined ? {} : { patience }),
  });
}

/** Where the audit log is; undefined where none is kept. */
export function auditPath({ auditUrl }: Pick<AuditSettings, "auditUrl">): string | undefined {
  return auditUrl === "" ? undefined : auditUrl.slice("sqlite:".length);
}

/** The same, on whose behalf things are done: each entry names who did it. */
export function auditBy(audit: Audit, by: string): Audit {
  return {
    record: (event, facts) => audit.record(event, { ...facts, by }),
    recordOften: (event, kind, facts) => audit.recordOften(event, kind, { ...facts, by }),
  };
}
