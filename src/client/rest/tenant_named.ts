import { PetitError } from "../../error.ts";
import type { ClientControl } from "../client_control.ts";
import type { TenantStatus } from "../client_status.ts";

/** A tenant by its name. @throws PetitError `tenant-unknown` */
export function tenantNamed(control: ClientControl, name: string): TenantStatus {
  const tenant = control.tenants().find((one) => one.tenant === name);
  if (tenant !== undefined) return tenant;
  throw new PetitError("tenant-unknown", `There is no tenant ${JSON.stringify(name)}`, {
    hint: "GET /tenants lists them",
  });
}

/** A registered tenant by its name, or else by the id of its registration. @throws PetitError `tenant-unknown` or `not-registered` */
export function knownByEither(control: ClientControl, typed: string): TenantStatus & { readonly id: string } {
  const tenants = control.tenants();
  const tenant = tenants.find((one) => one.tenant === typed) ?? tenants.find(({ id }) => id === typed) ??
    tenantNamed(control, typed);
  const { id } = tenant;
  if (id === null) throw new PetitError("not-registered", `Tenant "${tenant.tenant}" is not registered`);
  return { ...tenant, id };
}
