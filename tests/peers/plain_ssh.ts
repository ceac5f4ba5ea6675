import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { decodeJoinCode, hashJoinSecret } from "../../src/tunnel/join_code.ts";
import { ServerProcess, type Settings } from "../world/executable.ts";
import { output, run, type RunOptions } from "../world/processes.ts";
import { type Scope, startService, temporaryFolder } from "../world/world.ts";
import { program } from "./peer_test.ts";

/** A server, and a person with a key of ssh-keygen's and no petit. */
export interface PlainWorld {
  readonly server: ServerProcess;
  readonly folder: string;
  readonly keyFile: string;
  /** "SHA256:…" of the server. */
  readonly hostKey: string;
}

/** What registering came to. */
export interface Registered {
  readonly registeredId: string;
  readonly registeredPort: number;
  readonly endpoint: string;
  readonly ssh: string;
  readonly plink: string;
  readonly hostKey: string;
}

export async function makePlainWorld(t: TestContext, settings: Settings = {}): Promise<PlainWorld> {
  const server = await (await ServerProcess.init(t, settings)).start();
  const folder = temporaryFolder(t);
  const keyFile = await makeKey(folder, "id");
  const { hostKey } = await server.daemon.logged((line) => line["hostKey"] !== undefined) as unknown as {
    hostKey: string;
  };
  return { server, folder, keyFile, hostKey };
}

/** What the lines for OpenSSH that petit prints have besides. */
export const TOLD_OPTIONS = "-o ServerAliveInterval=15 -o ExitOnForwardFailure=yes";

/** How often a join code is good still. */
export function usesLeft({ server }: PlainWorld, code: string): number | undefined {
  const registry = openRegistry(server.registryUrl);
  try {
    return registry.joinCode(hashJoinSecret(decodeJoinCode(code).secret))?.usesLeft;
  } finally {
    registry.close();
  }
}

/** Makes a key pair; the public half has ".pub" behind its name. */
export async function makeKey(folder: string, name: string, ...options: string[]): Promise<string> {
  const file = join(folder, name);
  const kind = options.length === 0 ? ["-t", "ed25519"] : options;
  await output(program("ssh-keygen"), ["-q", "-N", "", "-C", "somebody@somewhere", "-f", file, ...kind]);
  return file;
}

/** `petit server register --json` */
export async function registerKey(
  { server }: Pick<PlainWorld, "server">,
  file: string,
  ...options: string[]
): Promise<Registered> {
  return JSON.parse(await server.command("register", "--key", file, "--json", ...options)) as Registered;
}

/** Options of ssh that keep it from this machine's own files, and accept the server's key. */
export function plainOptions({ folder, server }: PlainWorld): string[] {
  const options = [
    `UserKnownHostsFile=${join(folder, "known_hosts")}`,
    "GlobalKnownHostsFile=none",
    "StrictHostKeyChecking=accept-new",
    "IdentityAgent=none",
    "ConnectTimeout=20",
  ];
  return ["-F", "none", ...options.flatMap((option) => ["-o", option]), "-p", String(server.sshPort)];
}

/** The environment in which ssh and dbclient are told a password, as a person would type it. */
export function typing(scope: Scope, password: string): Record<string, string> {
  const file = join(temporaryFolder(scope), "askpass");
  writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$TYPED"\n`);
  chmodSync(file, 0o700);
  return {
    SSH_ASKPASS: file,
    SSH_ASKPASS_REQUIRE: "force",
    DISPLAY: ":9",
    TYPED: password,
    DROPBEAR_PASSWORD: password,
  };
}

/** `ssh join@host register …` with a join code as the password, and without a key unless `more` names one. */
export function sshRegister(
  t: TestContext,
  world: PlainWorld,
  code: string,
  words: string,
  options: RunOptions & { more?: string[] },
) {
  const identity = options.more ?? ["-o", "PubkeyAuthentication=no"];
  const args = [...plainOptions(world), ...identity, "-o", "NumberOfPasswordPrompts=1", "join@127.0.0.1", words];
  return run(program("ssh"), args, { ...options, env: typing(t, code) });
}

/** A service that answers "hello" to a request of HTTP, and gives everything else back. */
export function startPlainService(t: TestContext) {
  return startService(t, (socket) => {
    socket.once("data", (first: Buffer) => {
      if (first.toString("latin1").startsWith("GET ")) {
        return void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
      }
      socket.write(first);
      socket.on("data", (bytes: Buffer) => socket.write(bytes));
      socket.on("end", () => socket.end());
    });
  });
}
