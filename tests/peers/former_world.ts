import { configure, petit, ServerProcess, type Settings } from "../world/executable.ts";
import { freePort } from "../world/processes.ts";
import type { Scope } from "../world/temporary_folder.ts";
import type { FullStatus } from "../../src/server/server_status.ts";
import { FormerClient, type FormerTarget } from "./former_client.ts";

/** Settings of a server that clients of 0.6.34 can use, and that registers them. */
export const legacySettings = (backPort: number): Settings => ({
  "server.legacyBackchannel": true,
  "server.backHost": "127.0.0.1",
  "server.backPort": backPort,
  "server.registration": "open",
});

/** A petit server that clients of 0.6.34 can use. */
export interface ServerOfFormer {
  readonly server: ServerProcess;
  readonly target: FormerTarget;
}

/** Starts one. */
export async function serverOfFormer(scope: Scope, settings: Settings = {}): Promise<ServerOfFormer> {
  const backPort = await freePort();
  const server = await ServerProcess.init(scope, { ...legacySettings(backPort), ...settings });
  configure(server.config, { "server.vitae.endpoint": `http://REGID.localhost:${server.proxyPort}` });
  await server.start();
  await server.daemon.logged(({ port }) => port === backPort);
  return { server, target: { sshPort: server.sshPort, backPort, username: "anyone" } };
}

/** The same with a registered client that is connected, in front of the service on `servicePort`. */
export async function legacyWorld(
  scope: Scope,
  servicePort: number,
  settings: { server?: Settings; client?: Settings; env?: Record<string, string> } = {},
): Promise<ServerOfFormer & { readonly client: FormerClient; readonly id: string; readonly port: number }> {
  const world = await serverOfFormer(scope, settings.server);
  const client = await FormerClient.init(scope, world.target, settings.client, settings.env);
  const { id, port } = await client.register(servicePort);
  await client.start();
  await isServed(world.server, id);
  return { ...world, client, id, port };
}

/** Until a server sends callers down the tunnel of a registration. */
export async function isServed(server: ServerProcess, id: string): Promise<void> {
  await server.daemon.logged(({ msg }) => msg === `${id} is connected`);
}

/** `petit server status ID --json` */
export async function statusOf(server: ServerProcess, id: string): Promise<FullStatus> {
  const { stdout, stderr } = await petit(["server", "status", id, "--json", "-c", server.config]);
  if (stdout === "") throw new Error(`petit server status printed nothing: ${stderr}`);
  return JSON.parse(stdout) as FullStatus;
}
