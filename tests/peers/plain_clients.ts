import type { TestContext } from "node:test";
import { type Background, background, type Finished, output, run, type RunOptions } from "../world/processes.ts";
import { plainOptions, type PlainWorld, typing } from "./plain_ssh.ts";
import { program } from "./peer_test.ts";

/** A program that speaks SSH, as a person uses it who has no petit. */
export interface PlainClient {
  readonly name: string;
  readonly needs: readonly string[];
  /** Settings of the server without which it has no algorithm in common with it. */
  readonly settings: Readonly<Record<string, readonly string[]>>;
  /** Brings the key of the world into its own format. */
  prepare(world: PlainWorld): Promise<void>;
  /** Its arguments to log in with that key. */
  identity(world: PlainWorld): string[];
  /** Its arguments to log in with a password; how it is told the password is in `environment`. */
  password(world: PlainWorld, password: string): string[];
  environment(t: TestContext, world: PlainWorld, password?: string): Record<string, string>;
  /** Whether a line on standard error says that the forward was refused. */
  readonly refused: RegExp;
}

export const openssh: PlainClient = {
  name: "ssh",
  needs: ["ssh"],
  settings: {},
  prepare: () => Promise.resolve(),
  identity: (world) => [...plainOptions(world), "-i", world.keyFile, "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"],
  password: (world) => [...plainOptions(world), "-o", "PubkeyAuthentication=no"],
  environment: (t, _world, password = "") => typing(t, password),
  refused: /remote port forwarding failed for listen port/,
};

export const plink: PlainClient = {
  name: "plink",
  needs: ["plink", "puttygen"],
  settings: {},
  prepare: async ({ keyFile }) => void await output(program("puttygen"), [keyFile, "-o", `${keyFile}.ppk`]),
  identity: (world) => [...ofPlink(world), "-i", `${world.keyFile}.ppk`],
  password: (world, password) => [...ofPlink(world), "-pw", password],
  environment: (_t, { folder }) => ({ HOME: folder }),
  refused: /Remote port forwarding from \d+ refused/,
};

export const dbclient: PlainClient = {
  name: "dbclient",
  needs: ["dbclient", "dropbearconvert"],
  // It has neither AES-GCM nor encrypt-then-MAC.
  settings: { "server.ssh.macs": ["+hmac-sha2-256"] },
  prepare: async ({ keyFile }) =>
    void await output(program("dropbearconvert"), ["openssh", "dropbear", keyFile, `${keyFile}.dropbear`]),
  identity: (world) => [...ofDropbear(world), "-i", `${world.keyFile}.dropbear`],
  password: ofDropbear,
  environment: (t, { folder }, password = "") => ({ ...typing(t, password), HOME: folder }),
  refused: /Remote TCP forward request failed/,
};

export const PLAIN_CLIENTS = [openssh, plink, dbclient];

function ofPlink({ server, hostKey }: PlainWorld): string[] {
  return ["-batch", "-P", String(server.sshPort), "-hostkey", hostKey];
}

function ofDropbear({ server }: PlainWorld): string[] {
  return ["-y", "-y", "-p", String(server.sshPort)];
}

/** Runs a client to its end: `ssh … USER@HOST WORDS`. */
export function ask(
  t: TestContext,
  client: PlainClient,
  world: PlainWorld,
  user: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  const args = [...client.identity(world), `${user}@127.0.0.1`, ...words];
  return run(program(client.name), args, { ...options, env: client.environment(t, world) });
}

/** Starts `ssh -N -R FORWARD USER@HOST`. */
export function tunnel(
  t: TestContext,
  client: PlainClient,
  world: PlainWorld,
  user: string,
  forwards: readonly string[],
  more: readonly string[] = ["-N"],
): Background {
  const args = [...client.identity(world), ...more, ...forwards.flatMap((forward) => ["-R", forward])];
  return background(t, program(client.name), [...args, `${user}@127.0.0.1`], { env: client.environment(t, world) });
}
