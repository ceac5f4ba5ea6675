import { PetitError } from "../error.ts";
import type { Role } from "../platform/folder_lock.ts";

/** What a command says whose daemon does not run. */
export function notRunning(role: Role, cause?: unknown): PetitError {
  return new PetitError("not-running", `The ${role} is not running`, {
    hint: `Start it with "petit ${role} start"`,
    exitCode: 3,
    cause,
  });
}
