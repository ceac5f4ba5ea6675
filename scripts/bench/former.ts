import { join } from "node:path";
import { FORMER_SERVER } from "../../tests/peers/former.ts";
import { FormerClient } from "../../tests/peers/former_client.ts";
import { FormerServer } from "../../tests/peers/former_server.ts";
import { missingOf, program } from "../../tests/peers/peer_test.ts";
import type { Scope } from "../../tests/world/temporary_folder.ts";
import { ask } from "./ask.ts";
import { answers } from "./free_ports.ts";
import { PetitServer, restartPetitClient, startPetitClient } from "./petit.ts";
import { withDescendants } from "./proc.ts";
import { type Daemon, must } from "./processes.ts";
import { MissingPrograms } from "./programs.ts";

/** The services that are reached: one whose speed is measured, and one for callers that break off. */
export interface Services {
  readonly measured: number;
  readonly abused: number;
}

/** A server with a client for both services, of one version. */
export interface Release {
  /** Both daemons, and whatever else it needs, from nothing; resolves when a request goes through. */
  start(path: string): Promise<void>;
  stop(): Promise<void>;
  readonly proxyPort: number;
  /** The reverse port of the measured service. */
  readonly rawPort: number;
  /** The Host fields that lead to the services. */
  readonly hosts: { readonly measured: string; readonly abused: string };
  readonly pids: () => { server: number[]; client: number[]; beside: number[] };
}

/** Ends what was begun in it, the last first. */
export class Ending implements Scope {
  readonly #steps: (() => unknown)[] = [];
  readonly after: Scope["after"] = (step) => void this.#steps.push(step as () => unknown);

  async end(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step();
  }
}

/** @throws MissingPrograms where there is no 0.6.34, or not all that its server needs */
export function findFormer(): void {
  const missing = missingOf(FORMER_SERVER);
  if (missing.length > 0) {
    throw new MissingPrograms(
      `Needed to compare with 0.6.34, and not there: ${missing.join(", ")}. Its programs come by "npm install ` +
        'cloudelements-petit@0.6.34"; PETIT_FORMER names the folder node_modules/.bin in which they are',
    );
  }
}

/** What it runs on, for the heading. */
export async function describeFormer(): Promise<Record<string, string>> {
  const redis = /v=(\S+)/.exec(await must([program("redis-server"), "--version"]))?.[1];
  return { "0.6.34": `on Node ${(await must(["node", "--version"])).trim()}, Redis ${redis}` };
}

/** This petit: a client for each of the services, as each has one key and one service. */
export async function makePetit(executable: string, folder: string, services: Services): Promise<Release> {
  const server = await PetitServer.init(executable, join(folder, "server"));
  await server.start();
  const folders = { measured: join(folder, "measured"), abused: join(folder, "abused") };
  const code = await server.joinCode(2);
  const measured = await startPetitClient(executable, folders.measured, code, services.measured);
  const abused = await startPetitClient(executable, folders.abused, code, services.abused);
  const stopAll = async (clients: Daemon[]) => {
    for (const daemon of [...clients, server]) await daemon.stop();
  };
  await stopAll([measured.daemon, abused.daemon]);
  let clients: Daemon[] = [];
  const hosts = { measured: measured.id, abused: abused.id };
  return {
    hosts,
    proxyPort: server.proxyPort,
    rawPort: measured.rawPort,
    pids: () => ({ server: server.pids, client: clients[0]?.pids ?? [], beside: [] }),
    async start(path) {
      await server.start();
      clients = Object.values(folders).map((folder) => restartPetitClient(executable, folder));
      for (const host of Object.values(hosts)) await untilAnswered(server.proxyPort, host, path);
    },
    stop: () => stopAll(clients),
  };
}

/** 0.6.34, whose one client has two tenants. */
export async function makeFormer(scope: Scope, services: Services): Promise<Release> {
  const server = await (await FormerServer.make(scope)).start();
  const client = await FormerClient.init(scope, server.target);
  const measured = await client.register(services.measured, "measured");
  const abused = await client.register(services.abused, "abused");
  await server.stop();
  const hosts = { measured: `${measured.id}.example.com`, abused: `${abused.id}.example.com` };
  const pidsOf = (...processes: { child: { pid?: number | undefined } }[]) =>
    processes.flatMap(({ child: { pid } }) => pid === undefined ? [] : withDescendants(pid));
  return {
    hosts,
    proxyPort: server.proxyPort,
    rawPort: measured.port,
    pids: () => ({
      server: pidsOf(server.process),
      client: pidsOf(client.process),
      beside: pidsOf(server.redis.process, server.sshd.process),
    }),
    async start(path) {
      // As its own "start" does: the log goes to its file, and nobody reads it on standard output.
      server.launch("none");
      await until("the server of 0.6.34 listens", () => answers(server.proxyPort));
      client.launch("none");
      for (const host of Object.values(hosts)) await untilAnswered(server.proxyPort, host, path);
    },
    async stop() {
      await client.stop();
      await server.stop();
    },
  };
}

/** Whether a request goes through. */
export async function isAnswered(port: number, host: string, path: string): Promise<boolean> {
  return await ask({ port, host }, "GET", path).then(({ status }) => status === 200, () => false);
}

function untilAnswered(port: number, host: string, path: string): Promise<void> {
  return until(`${host} answers`, () => isAnswered(port, host, path));
}

async function until(what: string, test: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!await test()) {
    if (performance.now() > end) throw new Error(`${what}: not within 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
