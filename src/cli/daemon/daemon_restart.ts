import { loadConfig } from "../../config/load.ts";
import type { Role } from "../../platform/folder_lock.ts";
import type { Invocation } from "../commands/command.ts";
import { startDaemon, waitingTime } from "./daemon_start.ts";
import { stopRunning } from "./daemon_stop.ts";
import { configFile } from "../values.ts";

/** Stops the daemon, if it runs, and starts it. A config that cannot be used is said before anything is stopped. */
export async function restartDaemon(role: Role, invocation: Invocation): Promise<number> {
  const timeout = waitingTime(invocation, "timeout", "60s");
  const { folder } = loadConfig(configFile(invocation));
  await stopRunning(role, folder, timeout);
  return await startDaemon(role, invocation);
}
