import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { isAlive } from "../platform/is_alive.ts";
import { makeStateFolder, writeStateFile } from "../platform/state_file.ts";
import { tenantFolder } from "./state.ts";

/** A folder on its way in or out: ".NAME.PID.tmp". Nobody takes it for a tenant. */
const passing = (folder: string, name: string) => join(folder, "tenants", `.${name}.${process.pid}.tmp`);

/**
 * Makes the folder of a new tenant with its config, as a whole or not at all.
 * @throws PetitError `tenant-exists` or `state-unwritable`
 */
export function makeTenantFolder(folder: string, name: string, config: string): void {
  const own = tenantFolder(folder, name);
  const temporary = passing(folder, name);
  makeStateFolder(join(folder, "tenants"));
  removeLeftBehind(folder);
  if (existsSync(own)) throw exists(name);
  try {
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { mode: 0o700 });
    writeStateFile(join(temporary, "config.toml"), config);
    renameSync(temporary, own);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Another process was faster: a folder with something in it is never renamed over.
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes(systemCode(error) ?? "") && existsSync(own)) throw exists(name);
    throw error instanceof PetitError ? error : unwritable(own, error);
  }
}

/** Removes the folder of a tenant, as a whole or not at all. @throws PetitError `state-unwritable` */
export function removeTenantFolder(folder: string, name: string): void {
  const own = tenantFolder(folder, name);
  const temporary = passing(folder, name);
  try {
    rmSync(temporary, { recursive: true, force: true });
    renameSync(own, temporary);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw unwritable(own, error);
  }
  rmSync(temporary, { recursive: true, force: true });
  removeLeftBehind(folder);
}

/** Removes what processes that are gone have left on its way. What cannot be removed stays, and does no harm. */
function removeLeftBehind(folder: string): void {
  const tenants = join(folder, "tenants");
  for (const name of readdirSync(tenants)) {
    const pid = /^\..*\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(tenants, basename(name)), { recursive: true, force: true });
    } catch {
      // Another process removes it at the same time, or it is another user's.
    }
  }
}

const exists = (name: string) =>
  new PetitError("tenant-exists", `There is a tenant "${name}" already`, {
    hint: `Choose another name with -t, or change this one with "petit client config -t ${name} KEY VALUE"`,
  });

const unwritable = (path: string, error: unknown) =>
  new PetitError("state-unwritable", `Cannot change "${path}": ${messageOf(error)}`, {
    hint: "Check that the folder belongs to this user and that the disk has room",
    cause: error,
  });
