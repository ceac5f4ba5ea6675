import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { askCommand } from "../../control/ask_command.ts";
import { PetitError } from "../../error.ts";
import { isAlive } from "../../platform/is_alive.ts";
import { pidFile } from "../../platform/pid_file.ts";

/** Milliseconds for the answer of a daemon of this machine. */
const ANSWER_WITHIN = 2000;

/**
 * Refuses a folder on which a client of 0.6.x is running: it knows no lock but a file that it also leaves behind when it is killed. So it is asked, at the place that its pid
 * file names, and believed when it speaks of this folder.
 *
 * @throws PetitError `folder-locked`
 */
export async function refuseFormerClient(folder: string): Promise<void> {
  const found = readFormerPid(folder);
  if (found === undefined || !isAlive(found.pid)) return;
  const asked = { role: "client", folder, listen: found.listen, socket: null } as const;
  const status = await askCommand<FormerStatus | null>(asked, "STATUS", ANSWER_WITHIN).catch(() => undefined);
  const dirs = Array.isArray(status?.registration) ? status.registration.map(({ dir }) => dir) : [];
  if (!dirs.some((dir) => typeof dir === "string" && isBelow(folder, dir))) return;
  throw new PetitError("folder-locked", `A petit 0.6 client is running on "${folder}" already (process ${found.pid})`, {
    hint: `Stop it first: petit-client stop -c "${join(folder, "config.toml")}"`,
  });
}

interface FormerStatus {
  readonly registration?: readonly { readonly dir?: unknown }[];
}

/** What 0.6.x writes; petit tells more. */
function readFormerPid(folder: string): { readonly pid: number; readonly listen: number } | undefined {
  try {
    const { pid, listen, startedAt } = JSON.parse(readFileSync(pidFile(folder, "client"), "utf8")) ?? {};
    return startedAt === undefined && Number.isSafeInteger(pid) && pid > 0 && Number.isSafeInteger(listen)
      ? { pid, listen }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether that is the folder of a tenant there. */
function isBelow(folder: string, dir: string): boolean {
  const tenants = dirname(dir);
  return existsSync(tenants) && realpathSync(dirname(tenants)) === realpathSync(folder);
}
