// What daemons use that have nothing to do: processor time of a server with connected clients, and of a client of its own process, on loopback.
//   bun scripts/bench/idle.ts [EXECUTABLE [CLIENTS [SECONDS]]]     by default dist/petit, 100 and 30; prints one JSON object
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { executable as built } from "../project.ts";
import { PetitServer, startPetitClient } from "./petit.ts";
import { cpuSeconds } from "./proc.ts";
import { Daemon, must } from "./processes.ts";

/** Milliseconds until what is left of connecting is over: the collector has run. */
const SETTLED_AFTER = 15_000;

const [executable = built, count = "100", seconds = "30"] = process.argv.slice(2);
const CLIENTS = join(import.meta.dirname, "many_clients.ts");
const folder = mkdtempSync(join(tmpdir(), "petit-idle-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const server = await PetitServer.init(executable, join(folder, "server"));
await server.start();
const clients = join(folder, "clients");
await must([process.execPath, CLIENTS, "register", clients, count, await server.joinCode(Number(count) + 1)]);
// There are no services behind them, and those that are not well are probed again and again.
appendFileSync(join(clients, "config.toml"), '[client.local]\nprobe = "none"\n');
const log = join(folder, "clients.log");
const many = new Daemon([process.execPath, CLIENTS, "connect", clients, count], log);
await many.until(`${count} clients connect`, () => readFileSync(log, "utf8").includes("\n"), 60_000);
const own = join(folder, "client");
mkdirSync(own);
const one = await startPetitClient(executable, own, await server.joinCode(1), 9);
await sleep(SETTLED_AFTER);

const before = [cpuSeconds(server.pids), cpuSeconds(one.daemon.pids)] as const;
await sleep(Number(seconds) * 1000);
const after = [cpuSeconds(server.pids), cpuSeconds(one.daemon.pids)] as const;
const percent = (index: 0 | 1) => Math.round((after[index] - before[index]) / Number(seconds) * 100_000) / 1000;
console.log(
  JSON.stringify({
    clients: Number(count),
    seconds: Number(seconds),
    serverPercent: percent(0),
    clientPercent: percent(1),
  }),
);
await one.daemon.stop();
await many.stop();
await server.stop();
process.exit(0);
