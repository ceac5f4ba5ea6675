import { join } from "node:path";
import { removeStateFile } from "../platform/state_file.ts";
import { DEFAULT_TENANT } from "../tenant_name.ts";
import { readRegistration } from "./state.ts";
import { removeTenantFolder } from "./tenant_folder.ts";
import { unregister, type Unregistered, type UnregisterOptions } from "./unregister.ts";

/**
 * Takes a tenant away: unregisters it, if it is registered, and removes its folder.
 *
 * @returns what became of its registration; null where it had none
 * @throws PetitError as `unregister`, with nothing changed; `state-unwritable`
 */
export async function evict(options: UnregisterOptions): Promise<Unregistered | null> {
  const { folder, tenant } = options;
  const unregistered = isRegistered(options) ? await unregister(options) : null;
  removeTenantFolder(folder, tenant);
  if (tenant === DEFAULT_TENANT) removeStateFile(join(folder, "endpoint"));
  return unregistered;
}

/** Who forces it wants the folder gone, whatever is in it. */
function isRegistered({ folder, tenant, force }: UnregisterOptions): boolean {
  try {
    return readRegistration(folder, tenant) !== undefined;
  } catch (error) {
    if (force === true) return false;
    throw error;
  }
}
