import { ClientProcess, configure, petit, type Settings } from "../world/executable.ts";
import { getOnce } from "../world/raw_http.ts";
import { output } from "../world/processes.ts";
import type { Scope } from "../world/temporary_folder.ts";
import { FormerServer } from "./former_server.ts";
import { program } from "./peer_test.ts";

/** GETs `path` of the registration, at the server's proxy or at a reverse port. */
export function get(port: number, id: string, path = "/"): Promise<string> {
  return getOnce(port, `${id}.example.com`, path);
}

/** A command of the client on its folder; its standard output. Fails where it does. */
export async function clientCommand(client: { readonly config: string }, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await petit(["client", ...args, "-c", client.config]);
  if (code !== 0) throw new Error(`petit client ${args.join(" ")} exited with ${code}: ${stdout}${stderr}`);
  return stdout;
}

/** The fingerprint of the host key of a 0.6.34 server's sshd, as its operator would read it out. */
export async function fingerprintOf({ sshd: { hostKeyFile } }: FormerServer): Promise<string> {
  return /SHA256:\S+/.exec(await output(program("ssh-keygen"), ["-lf", hostKeyFile]))?.[0] ?? "";
}

/** A client with a config for a 0.6.34 server, which is not registered. */
export async function initFor(
  scope: Scope,
  { target: { sshPort, backPort, username } }: FormerServer,
  servicePort: number,
  settings: Settings = {},
): Promise<ClientProcess> {
  const client = new ClientProcess(scope);
  await clientCommand(client, "init", "--server", `127.0.0.1:${sshPort}`, "--local", `127.0.0.1:${servicePort}`);
  configure(client.config, { "client.backPort": backPort, "client.username": username, ...settings });
  return client.takeFreePorts();
}

/** The same, registered. */
export async function registeredFor(
  scope: Scope,
  server: FormerServer,
  servicePort: number,
  settings: Settings = {},
): Promise<ClientProcess> {
  const client = await initFor(scope, server, servicePort, settings);
  client.took(await clientCommand(client, "register", "--json", "--host-key", await fingerprintOf(server)));
  return client;
}
