import { join } from "node:path";
import { type Local, parseTenantConfig } from "../config/tenant_config.ts";
import { tenantTemplate } from "../config/template.ts";
import { messageOf, PetitError } from "../error.ts";
import { type Allow, isServiceAllowed, serviceAddress } from "./allow_list.ts";
import { tenantFolder } from "./state.ts";
import { makeTenantFolder } from "./tenant_folder.ts";
import { checkTenantName } from "../tenant_name.ts";
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
 * @param allow [client.allow], where that is to be heeded
 * @throws PetitError `tenant-name-invalid`, `tenant-exists`, `service-not-allowed`, `config-invalid` or `state-unwritable`; nothing has been made then
 */
export function lease(folder: string, local: Local, request: LeaseRequest = {}, allow?: Allow): Tenant {
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
  const service = { ...local, ...own };
  if (allow !== undefined && !isServiceAllowed(allow, service)) throw serviceNotAllowed(name, service);
  const config = tenantTemplate({ name, index, local: service });
  refuseUnusable(config, folder, name, local);
  makeTenantFolder(folder, name, config);
  return readTenants(folder, local).find((tenant) => tenant.name === name) as Tenant;
}

/** A tenant leads, or is to lead, to a service that [client.allow] does not have. */
export function serviceNotAllowed(tenant: string, service: Pick<Local, "host" | "port">): PetitError {
  const where = serviceAddress(service);
  return new PetitError(
    "service-not-allowed",
    `Tenant "${tenant}" may not lead to ${where}: it is not in [client.allow] services`,
    { hint: `Add "${where}" to that list in the config file, if callers are to reach it`, exitCode: 2 },
  );
}

/** A file that cannot be read back would keep all tenants from their work. @throws PetitError `config-invalid`, with exit code 2 */
function refuseUnusable(config: string, folder: string, name: string, local: Local): void {
  const dir = tenantFolder(folder, name);
  try {
    parseTenantConfig(config, join(dir, "config.toml"), dir, local);
  } catch (error) {
    // The place would be one in a text that nobody has seen.
    const message = messageOf(error).replace(/^.*?:\d+:\d+: /s, "");
    throw new PetitError("config-invalid", `Cannot make the tenant "${name}": ${message}`, {
      exitCode: 2,
      cause: error,
    });
  }
}
