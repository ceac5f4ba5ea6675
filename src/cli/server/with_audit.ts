import process from "node:process";
import type { Audit } from "../../audit/audit_event.ts";
import type { AuditLog } from "../../audit/audit_log.ts";
import { auditBy, openAudit } from "../../audit/open_audit.ts";
import type { ServerConfig } from "../../config/schema.ts";
import { silentLog } from "../../observe/log.ts";
import { ownAccount } from "../../platform/account.ts";

/** Milliseconds to wait for a server that writes at the same moment. */
const PATIENCE = 5000;

/** The server's audit log for the time of one command. */
interface CommandAudit {
  readonly audit: Audit;
  /** Writes what was told, and closes the log. */
  end(): void;
}

/**
 * What is told stands in the log under the name of whoever types. The log is opened for the first entry: what only looks leaves
 * no trace. A log that cannot be written keeps nothing from being done.
 */
export function commandAudit(config: ServerConfig): CommandAudit {
  let log: AuditLog | undefined;
  const opened = () => log ??= openAudit(config, silentLog(), PATIENCE);
  const audit: Audit = {
    record: (event, facts) => opened()?.record(event, facts),
    recordOften: (event, kind, facts) => opened()?.recordOften(event, kind, facts),
  };
  const end = () => {
    log?.flush();
    if (log !== undefined && log.waiting > 0) {
      process.stderr.write(`petit: This is not in the audit log: ${log.fault}\n`);
    }
    log?.close();
  };
  return { audit: auditBy(audit, `command line, user ${userName()}`), end };
}

/** Does something that is written into the server's audit log. */
export function withAudit<Result>(config: ServerConfig, work: (audit: Audit) => Result): Result {
  const { audit, end } = commandAudit(config);
  try {
    return work(audit);
  } finally {
    end();
  }
}

/** By name and number: some systems have only names. */
function userName(): string {
  try {
    const { name, uid } = ownAccount();
    return uid < 0 ? name : `${name} (uid ${uid})`;
  } catch {
    // A container may run under a number that no user has.
    return `unknown (uid ${process.getuid?.()})`;
  }
}
