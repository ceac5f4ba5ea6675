import type { Local } from "../config/tenant_config.ts";
import { tenantTemplate } from "../config/template.ts";
import { PetitError } from "../error.ts";
import { makeTenantFolder } from "./tenant_folder.ts";
import { checkTenantName } from "./tenant_name.ts";
import { readTenants, tenantNames } from "./tenants.ts";
import type { Tenant } from "./tenants.ts";

/** A tenant to be made; what is left out is as in [client.local]. */
export interface LeaseRequest extends Partial<Local> {
  /** By default the next index that is free, as a number. */
  readonly tenant?: string;
}

/**
 * Makes a tenant: its folder with a config. It is not registered yet.
 *
 * @param local [client.local]
 * @throws PetitError `tenant-name-invalid`, `tenant-exists` or `state-unwritable`; nothing has been made then
 */
export function lease(folder: string, local: Local, request: LeaseRequest = {}): Tenant {
  const { tenant: typed, ...own } = request;
  if (typed !== undefined) checkTenantName(typed);
  const tenants = readTenants(folder, local);
  const index = Math.max(0, ...tenants.map((tenant) => tenant.index ?? 0)) + 1;
  const names = tenantNames(folder).map((name) => name.toLowerCase());
  // Where the file system does not tell large letters from small ones, both would be one folder.
  const taken = (name: string) => names.includes(name.toLowerCase());
  let name = typed ?? String(index);
  for (let next = index + 1; typed === undefined && taken(name); next++) name = String(next);
  if (taken(name)) {
    throw new PetitError("tenant-exists", `There is a tenant "${name}" already`, {
      hint: `Choose another name with -t, or change this one with "petit client config -t ${name} KEY VALUE"`,
    });
  }
  makeTenantFolder(folder, name, tenantTemplate({ name, index, local: { ...local, ...own } }));
  return readTenants(folder, local).find((tenant) => tenant.name === name) as Tenant;
}
