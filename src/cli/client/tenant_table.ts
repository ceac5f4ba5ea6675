import type { TenantStatus } from "../../client/client_status.ts";
import { lightColumns } from "../terminal/light_columns.ts";
import { table } from "../terminal/table.ts";

function stateOf({ id, served, paused }: TenantStatus): string {
  if (paused !== null) return "paused";
  return served ? "served" : id === null ? "not registered" : "registered";
}

/** The tenants of a client, for people. */
export function tenantTable(rows: readonly TenantStatus[]): string {
  return table<TenantStatus>([
    { title: "TENANT", value: ({ tenant }) => tenant },
    { title: "ID", value: ({ id }) => id ?? undefined },
    { title: "PORT", value: ({ port }) => port ?? undefined },
    { title: "ENDPOINT", value: ({ endpoint }) => endpoint ?? undefined, atLeast: 20 },
    {
      title: "LOCAL",
      value: ({ local: { host, port, tls } }) => `${host}:${port}${tls ? " (TLS)" : ""}`,
      atLeast: 16,
    },
    ...lightColumns<TenantStatus>(),
    { title: "STATE", value: stateOf },
  ], rows);
}
