import process from "node:process";
import type { ClientStatus } from "../../client/client_status.ts";
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
  const served = await servedNow(folder);
  const rows = tenants.map((tenant) => tenantStatus(tenant, served.has(tenant.name)));
  if (json) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else if (rows.length === 0) {
    process.stdout.write(`No tenants yet\n\nNext: "petit client register CODE${option}" registers the first one.\n`);
  } else process.stdout.write(tenantTable(rows));
  return 0;
}

/** The tenants that a running client serves; none where none runs. */
async function servedNow(folder: string): Promise<ReadonlySet<string>> {
  try {
    if (findDaemon(folder, "client") === undefined) return new Set();
    const { status } = await callDaemon<{ status: ClientStatus }>({ folder, role: "client", path: "/status" });
    return new Set(status.registration.filter(({ served }) => served).map(({ tenant }) => tenant));
  } catch (error) {
    process.stderr.write(`petit: Cannot tell what the running client serves: ${messageOf(error)}\n`);
    return new Set();
  }
}
