import process from "node:process";
import { PetitError } from "../../error.ts";
import type { Role } from "../folder_lock.ts";

export type { Role };

/** What a service runs. */
export interface ServiceDefinition {
  readonly role: Role;
  /** Absolute path of the executable. */
  readonly executable: string;
  /** Absolute path of the config file. */
  readonly config: string;
  /** Absolute paths of the folders that the daemon writes to; all exist. */
  readonly writable: readonly string[];
  /** Whose the config is: a service of the whole machine runs as this user. 0 is root, and all there is on Windows. */
  readonly uid: number;
  /** Seconds that the daemon may take to end before it is killed. */
  readonly stopTimeout: number;
}

/** How a service is. */
export interface ServiceStatus {
  readonly installed: boolean;
  /** Whether it is started with the machine (or, for a user's service, with the user's session). */
  readonly enabled: boolean;
  readonly running: boolean;
  readonly pid: number | null;
  /** In the manager's own words: "active (running)". */
  readonly state: string;
}

/** What an operating system starts services with. */
export interface ServiceManager {
  /** Its name: "systemd". */
  readonly name: string;
  readonly scope: "system" | "user";
  /** Where a service's definition is: a file's path, or the name of a task. */
  definitionOf(role: Role): string;
  /** Writes the definition, has the service started with the machine and starts it now; again: brings it up to date. */
  install(definition: ServiceDefinition): Promise<void>;
  /** Stops it and takes its definition away. @throws PetitError `service-not-installed` */
  uninstall(role: Role): Promise<void>;
  status(role: Role): Promise<ServiceStatus>;
  /** What else a person has to do or know after installing; sentences. */
  advice(role: Role): string[];
}

export const NOT_INSTALLED: ServiceStatus = {
  installed: false,
  enabled: false,
  running: false,
  pid: null,
  state: "not installed",
};

/** What `uninstall` says where there is nothing. */
export function notInstalled(role: Role, place: string, hint: string): PetitError {
  return new PetitError("service-not-installed", `The service petit-${role} is not installed (there is no ${place})`, {
    hint,
  });
}

/** Whether the process may change what belongs to the whole machine. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
