import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readConfigFile } from "../config/check_toml.ts";
import { type Local, type OwnRules, parseTenantConfig } from "../config/tenant_config.ts";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { checkTenantName, DEFAULT_TENANT } from "../tenant_name.ts";
import { readEndpoint, readPreferred, readRegistration, tenantFolder, type TenantRegistration } from "./state.ts";

/** One exposed service of this client, as its folder says. */
export interface Tenant {
  /** The name of its folder. */
  readonly name: string;
  /** Its folder. */
  readonly dir: string;
  /** What its config calls it. */
  readonly label: string | undefined;
  readonly index: number | undefined;
  /** Undefined while it is not registered. */
  readonly registration: TenantRegistration | undefined;
  /** What it will ask for when it registers. */
  readonly preferred: TenantRegistration | undefined;
  readonly endpoint: string | undefined;
  readonly local: Local;
  /** What may be asked of its service. */
  readonly allow: OwnRules;
}

/** A tenant that is registered. */
export type RegisteredTenant = Tenant & { readonly registration: TenantRegistration };

export const isRegistered = (tenant: Tenant): tenant is RegisteredTenant => tenant.registration !== undefined;

/**
 * All tenants of a client: the default one first, the others by index and name.
 *
 * @param folder the folder with the key and the tenants
 * @param local [client.local], which fills in what a tenant's config leaves out
 * @throws PetitError `registration-damaged`, `config-syntax`, `config-invalid` or `state-unreadable`
 */
export function readTenants(folder: string, local: Local): Tenant[] {
  return tenantNames(folder).map((name) => readTenant(folder, name, local)).sort(order);
}

/** A tenant whose files cannot be used. */
export interface BrokenTenant {
  readonly name: string;
  readonly error: PetitError;
}

/**
 * The same, but one tenant whose files are damaged does not take the others down: it is as it was before, or left out.
 *
 * @param before what was read the last time
 * @throws PetitError `state-unreadable` where it cannot be told which tenants there are
 */
export function readUsableTenants(
  folder: string,
  local: Local,
  before: readonly Tenant[] = [],
): { tenants: Tenant[]; broken: BrokenTenant[] } {
  const broken: BrokenTenant[] = [];
  const tenants = tenantNames(folder).flatMap((name) => {
    try {
      return readTenant(folder, name, local);
    } catch (error) {
      if (!(error instanceof PetitError)) throw error;
      broken.push({ name, error });
      return before.find((tenant) => tenant.name === name) ?? [];
    }
  });
  return { tenants: tenants.sort(order), broken };
}

/** The names of all tenants. @throws PetitError `state-unreadable` */
export function tenantNames(folder: string): string[] {
  const tenants = join(folder, "tenants");
  try {
    // A leading dot marks folders on their way in or out (tenant_folder.ts).
    return readdirSync(tenants).filter((name) => !name.startsWith(".") && isFolder(join(tenants, name))).sort();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return [];
    throw new PetitError("state-unreadable", `Cannot read "${tenants}": ${messageOf(error)}`, {
      hint: "Check that the folder belongs to this user",
      cause: error,
    });
  }
}

/** One tenant, whose folder is there. @throws PetitError as `readTenants` */
export function readTenant(folder: string, name: string, local: Local): Tenant {
  const dir = tenantFolder(folder, name);
  const file = join(dir, "config.toml");
  const text = readConfigFile(file);
  const config = text === undefined ? undefined : parseTenantConfig(text, file, dir, local);
  return {
    name,
    dir,
    label: config?.name,
    index: config?.index,
    registration: readRegistration(folder, name),
    preferred: readPreferred(folder, name),
    endpoint: readEndpoint(folder, name),
    local: config?.local ?? { ...local },
    allow: config?.allow ?? { methods: undefined, paths: undefined },
  };
}

/**
 * The name of a tenant that somebody typed, which has to be there. The default tenant always is.
 * @throws PetitError `tenant-unknown` or `tenant-name-invalid`, with exit code 2
 */
export function knownTenant(folder: string, typed: string): string {
  const names = tenantNames(folder);
  if (names.includes(typed) || typed === DEFAULT_TENANT) return typed;
  checkTenantName(typed);
  throw new PetitError("tenant-unknown", `There is no tenant "${typed}"`, {
    hint: `"petit client tenants" lists them, "petit client lease -t ${typed}" makes it`,
    exitCode: 2,
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function order(a: Tenant, b: Tenant): number {
  if (a.name === DEFAULT_TENANT || b.name === DEFAULT_TENANT) return a.name === DEFAULT_TENANT ? -1 : 1;
  return (a.index ?? 2 ** 53) - (b.index ?? 2 ** 53) || (a.name < b.name ? -1 : 1);
}
