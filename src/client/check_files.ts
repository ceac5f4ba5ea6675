import { accessSync, constants, existsSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { messageOf, PetitError } from "../error.ts";
import { refuseExposedKey, refuseLooseState } from "../platform/strict_modes.ts";
import { type Check, Warning } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { fingerprintOfKey } from "./state.ts";

const REGISTER = 'Ask the server\'s operator for a join code and run "petit client register"';

/** What can be seen on this machine alone. */
export const fileChecks: readonly Check[] = [
  { name: "config", needs: [], run: ({ file, where }) => `${file}: the server is ${where}` },
  { name: "folder", needs: ["config"], run: folderIsOwn },
  { name: "key", needs: ["config"], run: keyIsUsable },
  { name: "key-mode", needs: ["key"], run: keyIsSecret },
  { name: "registration", needs: ["config"], run: isRegistered },
  { name: "clock", needs: ["config"], run: clockIsSane },
];

function folderIsOwn({ folder, file }: CheckContext): string {
  if (process.platform === "win32") return folder;
  refuseLooseState(folder, [file, join(folder, "tenants"), join(folder, "known_hosts")]);
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new PetitError("state-unwritable", `This user cannot write "${folder}": ${messageOf(error)}`, {
      hint: "Check that the folder belongs to the user that the client runs as",
      cause: error,
    });
  }
  return `${folder} is this user's to write, and nobody else's`;
}

function keyIsUsable({ folder }: CheckContext): string {
  const file = join(folder, "key");
  if (!existsSync(file)) throw new PetitError("key-missing", `There is no key "${file}"`, { hint: REGISTER });
  return fingerprintOfKey(folder);
}

function keyIsSecret({ folder }: CheckContext): string {
  const file = join(folder, "key");
  refuseExposedKey(file);
  return process.platform === "win32" ? file : `${file} has the mode ${(statSync(file).mode & 0o777).toString(8)}`;
}

function isRegistered(context: CheckContext): string {
  const registered = context.tenants.flatMap(({ name, registration }) =>
    registration === undefined ? [] : [`${name} as ${registration.id}`]
  );
  if (registered.length === 0) {
    throw new PetitError("not-registered", "This client is not registered", { hint: REGISTER });
  }
  return registered.join(", ");
}

/** Only a clock that is far behind can be told: files that were written before are of the future then. */
function clockIsSane({ folder, file }: CheckContext): string {
  const now = Date.now();
  const told = new Date(now).toISOString();
  for (const path of [file, join(folder, "key"), join(folder, "known_hosts")]) {
    if (existsSync(path) && statSync(path).mtimeMs > now + DAY) {
      throw new Warning("clock-behind", `This machine's clock says ${told}, but "${path}" was written later`, {
        hint: "Set the clock, best by NTP: certificates and join codes depend on it",
      });
    }
  }
  return told;
}

const DAY = 24 * 3_600_000;
