import process from "node:process";
import type { TenantStatus } from "../../client/client_status.ts";
import { readPause } from "../../client/pause.ts";
import { lightsWithoutClient } from "../../client/tenant_lights.ts";
import { tenantStatus } from "../../client/tenant_status.ts";
import { readTenants } from "../../client/tenants.ts";
import { callDaemon } from "../../control/api_client.ts";
import { messageOf } from "../../error.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import { clientContext } from "./client_context.ts";
import type { Invocation } from "../commands/command.ts";
import { tenantTable } from "./tenant_table.ts";

export async function clientTenants(invocation: Invocation): Promise<number> {
  const { config, folder, json, option } = clientContext(invocation);
  const tenants = readTenants(folder, config.local);
  const known = await knownNow(folder);
  const rows = tenants.map((tenant) => {
    const { served = false, lights = lightsWithoutClient() } = known.get(tenant.name) ?? {};
    return tenantStatus(tenant, served, lights, readPause(folder) ?? readPause(folder, tenant.name));
  });
  if (json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else if (rows.length === 0) {
    process.stdout.write(`No tenants yet\n\nNext: "petit client register${option}" registers the first one.\n`);
  } else process.stdout.write(tenantTable(rows));
  return 0;
}

/** What a running client says of its tenants, by name; nothing where none runs. */
async function knownNow(folder: string): Promise<ReadonlyMap<string, TenantStatus>> {
  try {
    if (findDaemon(folder, "client") === undefined) return new Map();
    const { tenants } = await callDaemon<{ tenants: TenantStatus[] }>({ folder, role: "client", path: "/tenants" });
    return new Map(tenants.map((tenant) => [tenant.tenant, tenant]));
  } catch (error) {
    process.stderr.write(`petit: Cannot tell what the running client serves: ${messageOf(error)}\n`);
    return new Map();
  }
}
