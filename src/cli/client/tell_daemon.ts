import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { callDaemon } from "../../control/api_client.ts";
import { messageOf, PetitError } from "../../error.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import type { Role } from "../../platform/folder_lock.ts";

/** Whether a daemon has taken up what a command has changed: "not told" where one runs and did not. */
export interface Told {
  readonly daemon: "reloaded" | "not running" | "not told";
  /** Settings that take effect when it is started again. */
  readonly restartNeeded: readonly string[];
}

/** Milliseconds that a daemon is waited for that is still starting: it may have read what was there before the change. */
const STARTING = 10_000;

/** Has the daemon that runs on a folder, if there is one, take up what has changed. What it makes of that is no fault of the change. */
export async function tellDaemon(folder: string, role: Role): Promise<Told> {
  try {
    if (findDaemon(folder, role) === undefined) return { daemon: "not running", restartNeeded: [] };
    const { restartNeeded } = await reload(folder, role);
    return { daemon: "reloaded", restartNeeded };
  } catch (error) {
    process.stderr.write(
      `petit: The running ${role} has not taken this up yet: ${
        messageOf(error)
      }\n       "petit ${role} reload" tries again\n`,
    );
    return { daemon: "not told", restartNeeded: [] };
  }
}

async function reload(folder: string, role: Role): Promise<{ restartNeeded: string[] }> {
  const until = performance.now() + STARTING;
  for (;;) {
    try {
      return await callDaemon<{ restartNeeded: string[] }>({ folder, role, method: "POST", path: "/reload" });
    } catch (error) {
      const isStarting = error instanceof PetitError && error.code === "daemon-starting";
      if (!isStarting || performance.now() > until) throw error;
      await sleep(100);
    }
  }
}
