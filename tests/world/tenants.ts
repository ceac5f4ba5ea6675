import { lease } from "../../src/client/lease.ts";
import { register } from "../../src/client/register.ts";
import type { Local } from "../../src/config/tenant_config.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { ClientConfig } from "../../src/config/schema.ts";
import type { Registered } from "../../src/tunnel/messages.ts";
import { type Scope, startService, type TestClient, type TestServer } from "./world.ts";

/** A service that says one thing to everyone who connects, and ends. */
export async function startSayer(scope: Scope, text: string): Promise<number> {
  return (await startService(scope, (socket) => socket.end(text))).port;
}

/** Makes a tenant of a client and registers it, as the commands do, beside a daemon that may be running. */
export async function addTenant(
  client: TestClient,
  server: TestServer,
  tenant: string,
  local: Partial<Local>,
): Promise<Registered> {
  const { folder, config: { client: config } } = client;
  lease(folder, config.local, { tenant, host: "127.0.0.1", ...local });
  return await register({
    config,
    folder,
    tenant,
    joinCode: server.joinCode(),
    signal: AbortSignal.timeout(10_000),
  });
}

/** The settings of a client as its config file would be read anew, with some of them different. */
export function changedConfig(client: TestClient, change: (config: ClientConfig) => void): ClientConfig {
  const read = parseConfig("", `${client.folder}/config.toml`).client;
  Object.assign(read, structuredClone(client.config.client));
  change(read);
  return read;
}
