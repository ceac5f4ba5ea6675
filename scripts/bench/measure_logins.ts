import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./ask.ts";
import { figure } from "./figure.ts";
import { makeFiles } from "./files.ts";
import { FLOOD_RATE } from "./measure_flood.ts";
import { startNginx } from "./nginx.ts";
import { PetitServer, startPetitClient } from "./petit.ts";
import { cpuSeconds } from "./proc.ts";
import { Daemon, must } from "./processes.ts";
import type { Programs } from "./programs.ts";
import { say } from "./say.ts";

/** Bad logins a second. */
export const ATTACK_RATE = 1000;

/** Bad logins a second where none of them is throttled: what the machine takes beside everything else. */
const UNTHROTTLED_RATE = 100;

/** What an attack is made of, and from how many addresses it comes. */
export const ATTACKS = {
  "unknown keys, 1 address": { kind: "key", sources: 1 },
  "unknown keys, 200 addresses": { kind: "key", sources: 200 },
  "unknown keys, 10,000 addresses": { kind: "key", sources: 10_000 },
  "wrong join codes, 200 addresses": { kind: "code", sources: 200 },
  "no SSH at all, 200 addresses": { kind: "ident", sources: 200 },
} as const;

export type AttackName = keyof typeof ATTACKS;

/** What callers of the HTTP proxy feel of one attack, and what it costs. */
export interface AttackSample {
  /** Milliseconds within which 99 % of the requests are answered. */
  readonly calm: number;
  readonly attacked: number;
  /** The same without petit in between: what the attacker takes from the machine. */
  readonly directCalm: number;
  readonly directAttacked: number;
  /** Logins a second that were begun, and those that the server let in. */
  readonly begun: number;
  readonly admitted: number;
  /** Microseconds of processor time for each login that was begun. */
  readonly serverCpu: number;
  readonly attackerCpu: number;
}

/** What one bad login costs that is not throttled, in microseconds of processor time. */
export interface LoginCost {
  readonly server: number;
  readonly attacker: number;
}

export interface LoginsSample {
  readonly attacks: Readonly<Record<AttackName, AttackSample>>;
  readonly cost: LoginCost;
}

const CALLER = join(import.meta.dirname, "fixed_rate_caller.ts");
const ATTACKER = join(import.meta.dirname, "bad_logins.ts");

/** Milliseconds after which a caller's schedule counts; the attack begins then, so that its beginning counts too. */
const LEAD_IN = 1000;

/** Measures what bad logins at the gateway cost, and how much of that callers feel. */
export async function measureLogins(
  { nginx: program }: Programs,
  executable: string,
  folder: string,
  seconds: number,
  rounds: number,
): Promise<LoginsSample[]> {
  const files = makeFiles(join(folder, "files"), 16 * 1024 ** 2);
  const path = `/${files.small.name}`;
  const nginx = await startNginx(program, join(folder, "nginx"), files);
  const server = await PetitServer.init(executable, join(folder, "server"));
  const open = await PetitServer.init(executable, join(folder, "open"), { perSourcePenalty: "0s" });
  await server.start();
  await open.start();
  const client = await startPetitClient(executable, join(folder, "client"), await server.joinCode(1), nginx.port);
  const isUp = async () => (await ask({ port: server.proxyPort, host: client.id }, "GET", path)).status === 200;
  await client.daemon.until("petit client is connected", isUp);

  const latencies = async (port: number, host: string) =>
    (JSON.parse(
      await must([process.execPath, CALLER, ...[port, host, path, FLOOD_RATE, seconds].map(String)]),
    ) as { p99: number }).p99;
  // Each attack comes from addresses of its own.
  let net = 10;
  const attack = async (target: PetitServer, kind: string, rate: number, sources: number, during: Promise<unknown>) => {
    const log = join(folder, `attack_${++net}.log`);
    const words = [kind, target.sshPort, rate, sources, net].map(String);
    const before = cpuSeconds(target.pids);
    const attacker = new Daemon([process.execPath, ATTACKER, ...words], log);
    await during;
    const server = cpuSeconds(target.pids) - before;
    await attacker.stop();
    const told = JSON.parse(readFileSync(log, "utf8")) as Told;
    return { ...told, server };
  };
  const measure = async (name: AttackName): Promise<AttackSample> => {
    const { kind, sources } = ATTACKS[name];
    // So that it knows nothing of the attack before.
    await server.stop();
    await server.start();
    await client.daemon.until("petit client is connected again", isUp);
    const [port, host] = [server.proxyPort, client.id];
    const idleBefore = cpuSeconds(server.pids);
    const calm = await latencies(port, host);
    const idle = cpuSeconds(server.pids) - idleBefore;
    const under = latencies(port, host);
    await sleep(LEAD_IN);
    const found = await attack(server, kind, ATTACK_RATE, sources, under);
    const directCalm = await latencies(nginx.port, "localhost");
    const direct = latencies(nginx.port, "localhost");
    await attack(server, kind, ATTACK_RATE, sources, direct);
    return {
      calm,
      attacked: await under,
      directCalm,
      directAttacked: await direct,
      begun: found.begun / found.seconds,
      admitted: found.admitted / found.seconds,
      // What the callers' requests cost is not the attack's.
      serverCpu: Math.max(0, found.server - idle) / found.begun * 1e6,
      attackerCpu: found.cpu / found.begun * 1e6,
    };
  };
  const samples: LoginsSample[] = [];
  for (let round = 1; round <= rounds; round++) {
    const attacks = {} as Record<AttackName, AttackSample>;
    for (const name of Object.keys(ATTACKS) as AttackName[]) {
      const sample = attacks[name] = await measure(name);
      const told = `99 % within ${figure(sample.calm)} ms, attacked ${figure(sample.attacked)} ms`;
      const direct = `direct ${figure(sample.directCalm)} ms, ${figure(sample.directAttacked)} ms`;
      say(
        `logins, round ${round} of ${rounds}, ${name}: ${told}; ${direct}; ${figure(sample.begun)}/s begun, ` +
          `${figure(sample.admitted)}/s let in; ${figure(sample.serverCpu)} µs each, the attacker ${
            figure(sample.attackerCpu)
          } µs`,
      );
    }
    const all = await attack(open, "key", UNTHROTTLED_RATE, 1, sleep(seconds * 1000));
    const cost = { server: all.server / all.admitted * 1e6, attacker: all.cpu / all.admitted * 1e6 };
    say(
      `logins, round ${round} of ${rounds}: one that is not throttled ${figure(cost.server)} µs, the attacker ${
        figure(cost.attacker)
      } µs`,
    );
    samples.push({ attacks, cost });
  }
  await client.daemon.stop();
  await nginx.daemon.stop();
  await open.stop();
  await server.stop();
  return samples;
}

interface Told {
  readonly begun: number;
  readonly admitted: number;
  readonly seconds: number;
  readonly cpu: number;
}
