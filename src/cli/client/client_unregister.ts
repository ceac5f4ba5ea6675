import process from "node:process";
import { isRegistered, knownTenant, readTenants } from "../../client/tenants.ts";
import { unregister, type Unregistered } from "../../client/unregister.ts";
import { PetitError } from "../../error.ts";
import { type ClientContext, clientContext } from "./client_context.ts";
import type { Invocation } from "../commands/command.ts";
import { withProgress } from "../terminal/progress.ts";
import { tellDaemon } from "./tell_daemon.ts";
import { warnings } from "../terminal/warnings.ts";
import { textValue } from "../values.ts";

export async function clientUnregister(invocation: Invocation): Promise<number> {
  const which = whichOf(invocation);
  const context = clientContext(invocation);
  const { config, folder, json, signal } = context;
  const force = invocation.values["force"] === true;
  const where = `${config.host}:${config.port}`;
  const gone: Unregistered[] = [];
  const tenants = namesOf(which, context);
  try {
    for (const tenant of tenants) {
      const one = await withProgress(
        `Unregistering with ${where}`,
        () => unregister({ config, folder, tenant, force, signal, log: warnings }),
      );
      gone.push(one);
      if (!json) process.stdout.write(unregisteredText(one, where));
    }
  } finally {
    if (gone.length > 0) {
      const { daemon } = await tellDaemon(folder, "client");
      if (json) process.stdout.write(`${JSON.stringify({ unregistered: gone, daemon })}\n`);
    }
  }
  if (tenants.length === 0) {
    process.stdout.write(json ? `${JSON.stringify({ unregistered: [] })}\n` : "No tenant is registered\n");
  }
  return 0;
}

/** What became of a registration, in a line. */
export function unregisteredText({ tenant, id, server }: Unregistered, where: string): string {
  switch (server) {
    case "unregistered":
      return `Unregistered ${id} (tenant ${tenant}) with ${where}\n`;
    case "unknown":
      return `Forgot ${id} (tenant ${tenant}): ${where} did not know it any more\n`;
    case "not told":
      return `Forgot ${id} (tenant ${tenant}) here; ${where} could not be told and still has it\n`;
  }
}

interface Which {
  readonly id?: string | undefined;
  readonly tenant?: string | undefined;
}

/** @throws PetitError `usage` */
function whichOf(invocation: Invocation): Which {
  const id = textValue(invocation, "registration");
  const tenant = textValue(invocation, "tenant");
  const all = invocation.values["all"] === true;
  if ([id, tenant, all || undefined].filter((one) => one !== undefined).length !== 1) {
    throw new PetitError("usage", "Wanted: exactly one of -r ID, -t TENANT and -a", {
      hint: '"petit client tenants" lists ids and tenants; -a means all of them',
      exitCode: 2,
    });
  }
  return { id, tenant };
}

/** @throws PetitError `tenant-unknown`, `not-registered` or `registration-unknown` */
function namesOf({ id, tenant }: Which, { folder, config }: ClientContext): string[] {
  const registered = readTenants(folder, config.local).filter(isRegistered);
  if (tenant !== undefined) {
    const name = knownTenant(folder, tenant);
    if (registered.some((one) => one.name === name)) return [name];
    throw new PetitError("not-registered", `Tenant "${name}" is not registered`);
  }
  if (id === undefined) return registered.map(({ name }) => name);
  const found = registered.find(({ registration }) => registration.id === id);
  if (found !== undefined) return [found.name];
  throw new PetitError("registration-unknown", `This client has no registration "${id}"`, {
    hint: '"petit client tenants" lists them',
  });
}
