import process from "node:process";
import { callDaemon } from "../control/api_client.ts";
import { messageOf } from "../error.ts";
import { findDaemon } from "../platform/pid_file.ts";
import type { Role } from "../platform/folder_lock.ts";

/** Whether a daemon has taken up what a command has changed: "not told" where one runs and did not. */
export interface Told {
  readonly daemon: "reloaded" | "not running" | "not told";
  /** Settings that take effect when it is started again. */
  readonly restartNeeded: readonly string[];
}

/** Has the daemon that runs on a folder, if there is one, take up what has changed. What it makes of that is no fault of the change. */
export async function tellDaemon(folder: string, role: Role): Promise<Told> {
  try {
    if (findDaemon(folder, role) === undefined) return { daemon: "not running", restartNeeded: [] };
    const { restartNeeded } = await callDaemon<{ restartNeeded: string[] }>({
      folder,
      role,
      method: "POST",
      path: "/reload",
    });
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
