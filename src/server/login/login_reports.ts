import type { Audit } from "../../audit/audit_event.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import type { Throttled, ThrottleReason } from "./login_guard.ts";

/** A connection that is gone and did not log in. */
export interface LoginFailure {
  readonly address: string;
  /** Fingerprint of the key that it proved to have. */
  readonly key: string | undefined;
  /** What was refused, in words; undefined where it did not try. */
  readonly refused: string | undefined;
  /** Wrong join codes that it tried. */
  readonly wrongCodes: number;
  /** Why the connection ended, in words. */
  readonly cause: string;
}

const WHY: Record<ThrottleReason, string> = {
  source: "too many of its logins have failed lately",
  overall: "too many logins of all addresses fail at the moment",
  startups: "too many connections are open that are not logged in",
};

/**
 * The one place where logins are told of that came to nothing: to counters, to the log and to the audit log, once a minute for each address, since
 * anyone on the internet can cause them.
 */
export class LoginReports {
  /** Connections that were refused all their logins, since the start. */
  refused = 0;
  readonly #log: Log;
  readonly #noise: OnceAMinute;
  readonly #audit: Audit;

  constructor(log: Log, noise: OnceAMinute, audit: Audit) {
    this.#log = log;
    this.#noise = noise;
    this.#audit = audit;
  }

  failed({ address, key, refused, wrongCodes, cause }: LoginFailure): void {
    if (refused !== undefined) {
      this.refused++;
      this.#audit.recordOften("login-refused", address, {
        address,
        key,
        why: refused,
        wrongCodes: wrongCodes || undefined,
      });
    }
    this.#tell("login-failed", address, { address, key }, () => `A connection did not log in: ${refused ?? cause}`);
  }

  throttled({ address, source, reason, wait }: Throttled): void {
    this.#audit.recordOften("source-throttled", source, { address, source, reason });
    this.#tell("login-throttled", source, { address, source, reason }, () => {
      const again = wait === undefined ? "" : `; the next may come in ${Math.ceil(wait / 1000)} s`;
      return `A connection to the gateway was closed before it could log in, since ${WHY[reason]}${again}`;
    });
  }

  #tell(code: string, source: string, facts: object, sentence: () => string): void {
    this.#noise.tellOf(code, source, (repeated) => this.#log.warn({ code, ...facts, repeated }, sentence()));
  }
}
