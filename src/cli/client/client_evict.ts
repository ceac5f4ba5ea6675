import process from "node:process";
import { evict } from "../../client/evict.ts";
import { knownTenant } from "../../client/tenants.ts";
import { PetitError } from "../../error.ts";
import { clientContext } from "./client_context.ts";
import type { Invocation } from "../commands/command.ts";
import { withProgress } from "../terminal/progress.ts";
import { warnings } from "../terminal/warnings.ts";
import { tellDaemon } from "./tell_daemon.ts";
import { unregisteredText } from "./client_unregister.ts";

export async function clientEvict(invocation: Invocation): Promise<number> {
  const [typed] = invocation.positionals;
  if (typed === undefined) {
    throw new PetitError("usage", "Wanted: the name of a tenant", {
      hint: '"petit client tenants" lists them',
      exitCode: 2,
    });
  }
  const { config, folder, json, signal } = clientContext(invocation);
  const tenant = knownTenant(folder, typed);
  const force = invocation.values["force"] === true;
  const where = `${config.host}:${config.port}`;
  const unregistered = await withProgress(
    `Unregistering with ${where}`,
    () => evict({ config, folder, tenant, force, signal, log: warnings }),
  );
  const { daemon } = await tellDaemon(folder, "client");
  if (json) process.stdout.write(`${JSON.stringify({ tenant, registration: unregistered, daemon })}\n`);
  else {
    if (unregistered !== null) process.stdout.write(unregisteredText(unregistered, where));
    process.stdout.write(`Tenant ${tenant} is gone\n`);
  }
  return 0;
}
