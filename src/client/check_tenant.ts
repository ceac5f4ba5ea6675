import { messageOf, PetitError } from "../error.ts";
import { isServiceAllowed } from "./allow_list.ts";
import { certificateHint } from "./accept.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { dial } from "./dial.ts";
import { serviceNotAllowed } from "./lease.ts";
import type { Tenant } from "./tenants.ts";

/** What is checked of each tenant: that the server still knows it, and that its service is there. */
export function tenantChecks(context: CheckContext): Check[] {
  let tenants: readonly Tenant[];
  try {
    tenants = context.tenants;
  } catch {
    // The check of the registration has told.
    return [];
  }
  return tenants.flatMap((tenant) => [
    { name: "registered", tenant: tenant.name, needs: ["login"], run: (context) => isKnown(context, tenant) },
    { name: "service", tenant: tenant.name, needs: [], run: (context) => isReached(context, tenant) },
  ]);
}

async function isKnown(context: CheckContext, { name, registration }: Tenant): Promise<string> {
  const again = (why: string, code = "registration-unknown") =>
    new PetitError(code, why, {
      hint: `Register again with a new join code from the server's operator: petit client register -t ${name}`,
    });
  if (registration === undefined) throw again(`The tenant "${name}" is not registered`, "not-registered");
  const { id, port } = registration;
  const { registrations } = await context.handshake();
  const there = registrations.find(({ registeredId }) => registeredId === id);
  if (there === undefined) throw again(`The server has no registration ${id} of this key`);
  if (there.registeredPort !== port) {
    throw again(
      `Registration ${id} has the port ${there.registeredPort} at the server, and ${port} here`,
      "port-differs",
    );
  }
  return `${id}, port ${port}, ${there.endpoint}`;
}

async function isReached(
  { config: { connectTimeout, allow } }: CheckContext,
  { name, local }: Tenant,
): Promise<string> {
  if (!isServiceAllowed(allow, local)) throw serviceNotAllowed(name, local);
  const { host, port, tls, tlsVerify } = local;
  const begun = performance.now();
  try {
    (await dial(local, connectTimeout)).destroy();
  } catch (error) {
    const hint = certificateHint(local, messageOf(error));
    throw new PetitError(
      hint === undefined ? "service-refused" : "service-certificate",
      `Cannot reach the service ${host}:${port}${tls ? " with TLS" : ""}: ${messageOf(error)}`,
      {
        hint: hint ?? "Check that it runs, and host and port in [client.local] or in the tenant's own config.toml",
        cause: error,
      },
    );
  }
  const how = !tls
    ? ""
    : tlsVerify
    ? ", its certificate verified"
    : ", its certificate NOT verified (tlsVerify = false)";
  return `${host}:${port} answered after ${(performance.now() - begun).toFixed(1)} ms${how}`;
}
