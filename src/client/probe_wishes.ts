import type { ProbeWish } from "../tunnel/messages.ts";
import type { RegisteredTenant } from "./tenants.ts";

/** How the services of these tenants are to be probed, by id of the registration. */
export function probeWishes(tenants: readonly RegisteredTenant[]): Record<string, ProbeWish> {
  return Object.fromEntries(tenants.map(({ registration: { id }, local }) => {
    const { host, port, tls, probe } = local;
    const name = host.includes(":") ? `[${host}]` : host;
    return [id, { probe, host: port === (tls ? 443 : 80) ? name : `${name}:${port}` }];
  }));
}
