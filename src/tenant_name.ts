import { PetitError } from "./error.ts";

/** The tenant that there is without a name being given. */
export const DEFAULT_TENANT = "default";

/** Letters, digits, "-", "_" and "."; not a leading dot, which is for folders on their way in or out. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;

/** Names that Windows keeps for devices, whatever follows a dot. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;

/** Whether this can be the name of a tenant: it becomes the name of a folder, on every system. */
export function isTenantName(name: string): boolean {
  // Windows drops a dot at the end.
  return NAME.test(name) && !DEVICE.test(name) && !name.endsWith(".");
}

/** @throws PetitError `tenant-name-invalid`, with exit code 2, before anything is touched */
export function checkTenantName(name: string): void {
  if (isTenantName(name)) return;
  const why = DEVICE.test(name) ? "Windows keeps that name for a device" : "it becomes the name of a folder";
  throw new PetitError("tenant-name-invalid", `${JSON.stringify(name.slice(0, 80))} cannot name a tenant: ${why}`, {
    hint: 'Wanted: at most 64 letters, digits, "-", "_" and ".", with no "." at either end',
    exitCode: 2,
  });
}
