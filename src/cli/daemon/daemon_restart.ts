import { setTimeout as sleep } from "node:timers/promises";
import { refuseFormer } from "../../config/former_settings.ts";
import { loadConfig } from "../../config/load.ts";
import { askCommand } from "../../control/ask_command.ts";
import { PetitError } from "../../error.ts";
import type { Role } from "../../platform/folder_lock.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import type { Invocation } from "../commands/command.ts";
import { startDaemon, waitingTime } from "./daemon_start.ts";
import { stopRunning } from "./daemon_stop.ts";
import { configFile } from "../values.ts";

/** Milliseconds for the new process to take over once it is ready. */
const TAKEN_WITHIN = 20_000;

/** Where the running daemon cannot have a successor: stopped and started instead. */
const INSTEAD = ["handover-unsupported", "command-unknown", "daemon-silent"];

/**
 * Has a new process take the place of the daemon, so that no caller is refused in between; where that is not to be had, stops the daemon,
 * if it runs, and starts it. A config that cannot be used is said before anything is changed.
 */
export async function restartDaemon(role: Role, invocation: Invocation): Promise<number> {
  const timeout = waitingTime(invocation, "timeout", "60s");
  const { folder, former } = loadConfig(configFile(invocation));
  refuseFormer(role, former);
  const handedOver = await handOver(role, folder, timeout);
  if (!handedOver) await stopRunning(role, folder, timeout);
  return await startDaemon(role, invocation, handedOver);
}

/** Whether a new process is the daemon now. @throws PetitError where the new process cannot start; the old one goes on then */
async function handOver(role: Role, folder: string, timeout: number): Promise<boolean> {
  const found = findDaemon(folder, role);
  if (found === undefined || found === "starting") return false;
  let successor: number;
  try {
    const { pid } = await askCommand<{ pid: number }>({ role, folder, ...found }, `RESTART ${found.pid}`, timeout);
    successor = pid;
  } catch (error) {
    if (error instanceof PetitError && INSTEAD.includes(error.code)) return false;
    if (!(error instanceof PetitError)) throw error;
    const { code, message, hint } = error;
    throw new PetitError(code, `${message}; the ${role} that was running goes on`, {
      ...(hint === undefined ? {} : { hint }),
      cause: error,
    });
  }
  for (const deadline = performance.now() + TAKEN_WITHIN; performance.now() < deadline; await sleep(20)) {
    const now = findDaemon(folder, role);
    if (now !== undefined && now !== "starting" && now.pid === successor) return true;
  }
  throw new PetitError("start-failed", `The new ${role} (process ${successor}) did not take over`, {
    hint: `Its log says why; "petit ${role} start" starts another one`,
  });
}
