import { execFileSync } from "node:child_process";
import { type ClientProcess, configure, petit, type Settings } from "../world/executable.ts";
import type { FormerServer } from "./former_server.ts";
import { program } from "./peer_test.ts";

/** The fingerprint of the host key of a 0.6.34 server's sshd, as its operator would read it out. */
export function fingerprintOf(server: FormerServer): string {
  const shown = execFileSync(program("ssh-keygen"), ["-lf", `${server.sshd.hostKeyFile}.pub`], { encoding: "utf8" });
  return /SHA256:\S+/.exec(shown)?.[0] ?? "";
}

/** Makes a client's config for a 0.6.34 server, on free ports. */
export async function initFor(
  server: FormerServer,
  client: ClientProcess,
  servicePort: number,
  settings: Settings = {},
): Promise<void> {
  const { sshPort, backPort, username } = server.target;
  const init = ["client", "init", "-c", client.config, "--server", `127.0.0.1:${sshPort}`];
  const { code, stderr } = await petit([...init, "--local", `127.0.0.1:${servicePort}`]);
  if (code !== 0) throw new Error(`petit client init exited with ${code}: ${stderr}`);
  configure(client.config, { "client.backPort": backPort, "client.username": username, ...settings });
  client.takeFreePorts();
}

/** Registers a tenant with a 0.6.34 server. */
export async function registerAt(server: FormerServer, client: ClientProcess, tenant = "default"): Promise<void> {
  const args = ["client", "register", "--json", "-c", client.config, "-t", tenant, "--host-key", fingerprintOf(server)];
  const { code, stdout, stderr } = await petit(args);
  if (code !== 0) throw new Error(`petit client register exited with ${code}: ${stderr}`);
  if (tenant === "default") client.took(stdout);
}
