import type { Reloaded } from "../config/changes.ts";
import type { Log, LogLevel } from "../observe/log.ts";
import type { LogTail } from "../observe/log_tail.ts";
import type { MetricsRegistry } from "../observe/metrics.ts";
import type { Role } from "../platform/folder_lock.ts";

/** What a process that runs a daemon offers beside the daemon itself; the same for both of them. */
export interface DaemonFacilities {
  readonly role: Role;
  /** Absolute path of the config file. */
  readonly configFile: string;
  /** Absolute path of the folder that holds it and all state. */
  readonly folder: string;
  readonly log: Log;
  readonly tail: LogTail;
  /** From now on, until the config says otherwise. */
  setLevel(level: LogLevel): void;
  /** Reads the config file again, as at SIGHUP. @throws PetitError where it cannot be used; nothing has changed then */
  reload(): Reloaded | Promise<Reloaded>;
  /** Asks the daemon to stop, as SIGTERM does; returns at once. */
  stop(): void;
  /**
   * Has a new process take this one's place, without a moment in between in which nobody listens.
   * @returns its process id
   * @throws PetitError where it cannot, `handover-unsupported` among others; nothing has changed then
   */
  restart(): Promise<{ pid: number }>;
  /** For Prometheus. */
  readonly metrics: Pick<MetricsRegistry, "metrics" | "contentType">;
}
