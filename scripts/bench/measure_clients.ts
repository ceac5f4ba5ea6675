import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { PetitServer } from "./petit.ts";
import { memoryOf } from "./proc.ts";
import { Daemon, must } from "./processes.ts";
import { say } from "./say.ts";

/** What it takes to have many clients connected to one server, in one round. */
export interface ClientsSample {
  /** From the start of the first client until the last was connected. */
  readonly seconds: number;
  /** Resident memory of the server with the same registrations and nobody connected, in bytes. */
  readonly idle: number;
  /** The same some seconds after all were connected. */
  readonly connected: number;
  /** The difference for each client. */
  readonly perClient: number;
}

/** Milliseconds until the memory is read: after the server's start, and after the last client was connected. */
const IDLE_AFTER = 2000;
const SETTLED_AFTER = 5000;

const CLIENTS = join(import.meta.dirname, "many_clients.ts");

/** Registers the clients once; each round restarts the server and all clients. */
export async function measureClients(
  executable: string,
  folder: string,
  count: number,
  rounds: number,
): Promise<ClientsSample[]> {
  const server = await PetitServer.init(executable, join(folder, "server"));
  await server.start();
  const clients = join(folder, "clients");
  say(`clients: registering ${count} …`);
  await must([process.execPath, CLIENTS, "register", clients, String(count), await server.joinCode(count)]);
  await server.stop();
  const samples: ClientsSample[] = [];
  for (let round = 1; round <= rounds; round++) {
    await server.start();
    await sleep(IDLE_AFTER);
    const idle = memoryOf(server.pids).resident;
    const log = join(folder, `clients_${round}.log`);
    const daemon = new Daemon([process.execPath, CLIENTS, "connect", clients, String(count)], log);
    await daemon.until(`${count} clients connect`, () => readFileSync(log, "utf8").includes("\n"), 60_000);
    const { seconds, served } = JSON.parse(readFileSync(log, "utf8")) as { seconds: number; served: number };
    if (served !== count) throw new Error(`only ${served} of ${count} clients were served`);
    await sleep(SETTLED_AFTER);
    const connected = memoryOf(server.pids).resident;
    const sample = { seconds, idle, connected, perClient: (connected - idle) / count };
    samples.push(sample);
    say(
      `clients, round ${round} of ${rounds}: ${count} connected in ${seconds.toFixed(2)} s, ` +
        `${(sample.perClient / 1000).toFixed(1)} kB each above ${(idle / 1e6).toFixed(0)} MB`,
    );
    await daemon.stop();
    await server.stop();
  }
  return samples;
}
