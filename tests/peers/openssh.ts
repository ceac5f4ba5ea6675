import { join } from "node:path";
import type { TestContext } from "node:test";
import { ClientProcess, ServerProcess, type Settings } from "../world/executable.ts";
import { type Background, background } from "../world/processes.ts";
import { program } from "./peer_test.ts";

/** A server, and a registration whose key OpenSSH uses in place of the petit client. */
export interface OpensshWorld {
  readonly server: ServerProcess;
  readonly client: ClientProcess;
  /** Arguments of ssh: nothing but the registration's key and the pinned host key. `-p PORT` is not among them. */
  readonly identity: string[];
  /** A Host field that leads to the service. */
  readonly host: string;
}

/** Where every ssh of these tests logs in. */
export const LOGIN = "petit@127.0.0.1";

/** @param servicePort what the registration says its service is */
export async function makeOpensshWorld(
  t: TestContext,
  servicePort: number,
  settings: Settings = {},
): Promise<OpensshWorld> {
  const server = await (await ServerProcess.init(t, settings)).start();
  const client = await new ClientProcess(t).register(await server.joinCode(), servicePort);
  return { server, client, identity: identity(client, client.keyFile), host: `${client.id}.example.com` };
}

/** @param client whose known_hosts file is used, read by OpenSSH as it stands */
export function identity(client: ClientProcess, keyFile: string): string[] {
  const options = [
    `UserKnownHostsFile=${join(client.folder, "known_hosts")}`,
    "GlobalKnownHostsFile=none",
    "StrictHostKeyChecking=yes",
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "ConnectTimeout=20",
  ];
  return ["-F", "none", "-i", keyFile, ...options.flatMap((option) => ["-o", option])];
}

/** `ssh -N -R`: a tunnel to the service without petit's client. Resolves when the server knows of it. */
export async function startSshTunnel(
  t: TestContext,
  { server, client, identity }: OpensshWorld,
  servicePort: number,
  more: string[] = [],
): Promise<Background> {
  const forward = `${client.port}:127.0.0.1:${servicePort}`;
  const args = ["-v", "-N", "-o", "ExitOnForwardFailure=yes", "-R", forward, ...more];
  const ssh = background(t, program("ssh"), [...identity, "-p", String(server.sshPort), ...args, LOGIN]);
  await ssh.line((line) => line.includes("remote forward success"));
  return ssh;
}
