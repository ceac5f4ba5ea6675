import type { Lights } from "../tunnel/lights.ts";
import type { TenantStatus } from "./client_status.ts";
import type { Tenant } from "./tenants.ts";

/** A tenant as it is told of. @param served whether the tunnel carries it @param paused since when it is */
export function tenantStatus(
  { name, dir, registration, endpoint, local: { host, port, tls } }: Tenant,
  served: boolean,
  lights: Lights,
  paused: string | undefined,
): TenantStatus {
  return {
    tenant: name,
    id: registration?.id ?? null,
    port: registration?.port ?? null,
    dir,
    endpoint: endpoint ?? null,
    local: { host, port, tls },
    served,
    paused: paused ?? null,
    lights,
  };
}
