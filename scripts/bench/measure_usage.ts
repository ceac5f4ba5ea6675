import { join } from "node:path";
import { ask } from "./ask.ts";
import type { Contender } from "./contenders.ts";
import { figure } from "./figure.ts";
import { makeFiles } from "./files.ts";
import { measureWrk } from "./measure_wrk.ts";
import { startNginx } from "./nginx.ts";
import type { Options } from "./options.ts";
import { PetitServer, restartPetitClient, startPetitClient } from "./petit.ts";
import { Daemon } from "./processes.ts";
import type { Programs } from "./programs.ts";
import { median } from "./rounds.ts";
import { say } from "./say.ts";

/** The HTTP proxy with the usage record and without it, in one round. */
export interface UsageSample {
  /** Requests per second. */
  readonly on: number;
  readonly off: number;
  /** Seconds of the server's processor time for 1,000 requests. */
  readonly onCpu: number;
  readonly offCpu: number;
}

/** Seconds of wrk that don't count. */
const WARM_UP = 2;

/** Seconds of wrk of one turn: short, since other programs on the machine come and go. */
const TURN = 1;

/** Turns of both in a round: their figures are put together, so that what drifts on the machine hits both alike. */
const TURNS = 10;

interface Way {
  readonly name: "on" | "off";
  readonly server: PetitServer;
  readonly folder: string;
  readonly id: string;
}

/**
 * Measures the same server with `usageUrl` set and empty, in turns. Both are started anew for each round, since two runs of
 * one program differ by more than what is looked for here.
 */
export async function measureUsage(
  { wrk, nginx: program }: Programs,
  executable: string,
  folder: string,
  options: Options,
): Promise<UsageSample[]> {
  const files = makeFiles(join(folder, "files"), 16 * 1024 ** 2);
  const { name: file, content } = files.small;
  const nginx = await startNginx(program, join(folder, "nginx"), files);
  const ways: Way[] = [];
  for (const name of ["on", "off"] as const) {
    const server = await PetitServer.init(
      executable,
      join(folder, `server_${name}`),
      name === "off" ? { usageUrl: "" } : {},
    );
    await server.start();
    const of = join(folder, `client_${name}`);
    const { id, daemon } = await startPetitClient(executable, of, await server.joinCode(1), nginx.port);
    await daemon.stop();
    await server.stop();
    ways.push({ name, server, folder: of, id });
  }
  const samples: UsageSample[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    const clients: Daemon[] = [];
    const found: Record<Way["name"], { rate: number; cpu: number }[]> = { on: [], off: [] };
    const load = ({ server, id }: Way, seconds: number) => {
      const carriers = [{ name: "petit server", end: "public", pids: () => server.pids }] as const;
      const contender: Contender = { name: "proxy", port: server.proxyPort, host: id, carriers };
      return measureWrk(contender, {
        wrk,
        connections: 32,
        seconds,
        close: false,
        path: `/${file}`,
        size: content.length,
      });
    };
    for (const way of ways) {
      await way.server.start();
      const client = restartPetitClient(executable, way.folder);
      clients.push(client);
      await client.until(
        "petit client is connected",
        async () => (await ask({ port: way.server.proxyPort, host: way.id }, "GET", `/${file}`)).status === 200,
      );
      await load(way, Math.min(WARM_UP, options.wrkSeconds));
    }
    for (let turn = 0; turn < TURNS; turn++) {
      for (const way of (round + turn) % 2 === 0 ? ways : ways.toReversed()) {
        const { rate = 0, publicCpu = 0 } = await load(way, TURN);
        found[way.name].push({ rate, cpu: publicCpu });
      }
    }
    for (const client of clients) await client.stop();
    for (const { server } of ways) await server.stop();
    const of = (name: Way["name"], key: "rate" | "cpu") => median(found[name].map((one) => one[key])) ?? 0;
    const sample = { on: of("on", "rate"), off: of("off", "rate"), onCpu: of("on", "cpu"), offCpu: of("off", "cpu") };
    samples.push(sample);
    say(
      `usage, round ${round} of ${options.rounds}: with the record ${figure(sample.on)} requests/s, ` +
        `${figure(sample.onCpu * 1000)} µs each; without ${figure(sample.off)}, ${figure(sample.offCpu * 1000)} µs`,
    );
  }
  await nginx.daemon.stop();
  return samples;
}
