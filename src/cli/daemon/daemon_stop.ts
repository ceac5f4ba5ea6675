import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { askCommand } from "../../control/ask_command.ts";
import { notRunning } from "../../control/not_running.ts";
import { PetitError, systemCode } from "../../error.ts";
import { lockFolder, type Role } from "../../platform/folder_lock.ts";
import { findDaemon, type Found, removePidFile } from "../../platform/pid_file.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "./daemon_folder.ts";
import { waitingTime } from "./daemon_start.ts";
import { withProgress } from "../terminal/progress.ts";

/** Milliseconds between two looks whether a daemon is gone. */
const LOOK_EVERY = 50;

/** Asks the daemon to stop, and waits until it has. @throws PetitError `not-running` with exit code 3, `stop-timeout` and others */
export async function stopDaemon(role: Role, invocation: Invocation): Promise<number> {
  const timeout = waitingTime(invocation, "timeout", "60s");
  const folder = daemonFolder(invocation);
  const pid = await stopRunning(role, folder, timeout);
  if (pid === undefined) throw notRunning(role);
  process.stdout.write(
    invocation.values["json"] === true ? `${JSON.stringify({ pid, stopped: true })}\n` : `The ${role} has stopped\n`,
  );
  return 0;
}

/**
 * Stops the daemon that runs on a folder.
 *
 * @param timeout milliseconds
 * @returns its process id; undefined where there was none
 * @throws PetitError `stop-timeout`; `not-permitted` and others where it is another user's
 */
export async function stopRunning(role: Role, folder: string, timeout: number): Promise<number | undefined> {
  const deadline = performance.now() + timeout;
  return await withProgress(`Waiting for the ${role} to stop`, async (progress) => {
    const found = await settled(role, folder, deadline);
    if (found === undefined) {
      tidyUp(role, folder);
      return undefined;
    }
    const { pid } = found;
    progress.say("it lets what is in progress go on");
    // It answers once it has stopped. The lock tells the same, but who does not answer has to be asked in another way.
    const asked = askCommand({ role, folder, ...found }, `STOP ${pid}`, Math.max(1, timeout)).catch((error) =>
      error as PetitError
    );
    for (let signalled = false;;) {
      const now = findDaemon(folder, role);
      // Another process id: a service manager has started it anew.
      if (now === undefined || (now !== "starting" && now.pid !== pid)) return pid;
      const answer = await Promise.race([asked, sleep(LOOK_EVERY)]);
      if (answer instanceof PetitError && !signalled && now !== "starting") {
        signalled = true;
        signal(role, pid);
      }
      if (performance.now() >= deadline) {
        throw new PetitError(
          "stop-timeout",
          `The ${role} (process ${pid}) has not stopped within ${timeout / 1000} s`,
          {
            hint:
              `It ends when what is in progress is over, or after [${role}] drainFor; a second SIGTERM ends it at once`,
          },
        );
      }
      if (answer !== undefined) await sleep(LOOK_EVERY);
    }
  });
}

/** The daemon that runs, once it has written its pid file. */
async function settled(role: Role, folder: string, deadline: number): Promise<Exclude<Found, "starting"> | undefined> {
  for (;;) {
    const found = findDaemon(folder, role);
    if (found !== "starting") return found;
    if (performance.now() >= deadline) {
      throw new PetitError("stop-timeout", `The ${role} is starting, and has not said yet where it is reached`);
    }
    await sleep(LOOK_EVERY);
  }
}

/** The pid file says the truth: whoever has written it holds the lock. */
function signal(role: Role, pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if (systemCode(error) === "ESRCH") return;
    throw new PetitError("not-permitted", `Cannot stop the ${role} (process ${pid}): it is another user's`, {
      hint: "Give this command as that user",
      cause: error,
    });
  }
}

/** Takes away what a daemon that was killed has left; under the lock, so that it is nobody else's by now. */
function tidyUp(role: Role, folder: string): void {
  try {
    lockFolder(folder, role, () => removePidFile(folder, role)).release();
  } catch {
    // A file that stays says nothing: only the lock tells.
  }
}
