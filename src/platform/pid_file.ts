import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { PetitError, systemCode } from "../error.ts";
import { isLocked, type Role } from "./folder_lock.ts";
import { writeStateFile } from "./state_file.ts";

/** What `server.pid` and `client.pid` say, in JSON. The first two fields are those of 0.6.x. */
export interface PidFile {
  readonly pid: number;
  /** The command port, on 127.0.0.1. */
  readonly listen: number;
  /** The Unix socket that takes the same commands; null where there is none. */
  readonly socket: string | null;
  /** The port of the REST API, on 127.0.0.1; null while there is none. */
  readonly api: number | null;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Since when everything works (ISO 8601): a server listens, a client has reached its service through its tunnel; null until then. */
  readonly ready: string | null;
}

/** What can be seen from outside of a daemon that runs: "starting" until it has written its pid file. */
export type Found = PidFile | "starting";

/** The pid file of a daemon, beside its config. */
export function pidFile(folder: string, role: Role): string {
  return join(folder, `${role}.pid`);
}

/** @throws PetitError `state-unwritable` */
export function writePidFile(folder: string, role: Role, content: PidFile): void {
  writeStateFile(pidFile(folder, role), `${JSON.stringify(content)}\n`);
}

export function removePidFile(folder: string, role: Role): void {
  rmSync(pidFile(folder, role), { force: true });
}

/**
 * The daemon that runs on a folder, or undefined. A pid file that a dead daemon left behind is not believed: only the lock tells.
 *
 * @throws PetitError `lock-unreadable`: it is another user's
 */
export function findDaemon(folder: string, role: Role): Found | undefined {
  // A daemon takes the file of the one before away before its lock can be seen: what is there by then is its own.
  return isLocked(folder, role) ? readPidFile(folder, role) ?? "starting" : undefined;
}

function readPidFile(folder: string, role: Role): PidFile | undefined {
  try {
    const read = JSON.parse(readFileSync(pidFile(folder, role), "utf8")) as Partial<PidFile> | null;
    if (!isNumber(read?.pid) || !isNumber(read?.listen)) return undefined;
    const { pid, listen, socket, api, startedAt, ready } = read as PidFile;
    return {
      pid,
      listen,
      socket: socket ?? null,
      api: api ?? null,
      startedAt: startedAt ?? "",
      ready: ready ?? null,
    };
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") {
      return undefined;
    }
    throw new PetitError("pid-unreadable", `Cannot read "${pidFile(folder, role)}": permission denied`, {
      hint: "Give this command as the user whose daemon it is",
      cause: error,
    });
  }
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
