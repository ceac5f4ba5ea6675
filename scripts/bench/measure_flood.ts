import { join } from "node:path";
import process from "node:process";
import { ask } from "./ask.ts";
import { figure } from "./figure.ts";
import { makeFiles } from "./files.ts";
import { startNginx } from "./nginx.ts";
import { PetitServer, startPetitClient } from "./petit.ts";
import { Daemon, must } from "./processes.ts";
import type { Programs } from "./programs.ts";
import { say } from "./say.ts";

/** Latencies in milliseconds. */
interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

/** Latencies of one service's callers, while another service is left alone and while it is flooded. */
export interface FloodSample {
  /** Two registrations of one server, through its HTTP proxy. */
  readonly petit: { readonly calm: Latencies; readonly flooded: Latencies };
  /** The same two services without anything in between: what the flood takes from the machine itself. */
  readonly direct: { readonly calm: Latencies; readonly flooded: Latencies };
}

/** Requests per second whose latency is measured. */
export const FLOOD_RATE = 100;

/** Connections of the flood, each of which asks again as soon as it is answered. */
export const FLOOD_CONNECTIONS = 256;

const CALLER = join(import.meta.dirname, "fixed_rate_caller.ts");

/** Measures how much a flood on one registration is felt by the callers of another, whose client and service are its own. */
export async function measureFlood(
  { wrk, nginx: program }: Programs,
  executable: string,
  folder: string,
  seconds: number,
  rounds: number,
): Promise<FloodSample[]> {
  const files = makeFiles(join(folder, "files"), 16 * 1024 ** 2);
  const path = `/${files.small.name}`;
  const server = await PetitServer.init(executable, join(folder, "server"));
  await server.start();
  const sites = [];
  for (const name of ["measured", "flooded"]) {
    const nginx = await startNginx(program, join(folder, `nginx_${name}`), files);
    const client = await startPetitClient(executable, join(folder, name), await server.joinCode(1), nginx.port);
    const isUp = async () => (await ask({ port: server.proxyPort, host: client.id }, "GET", path)).status === 200;
    await client.daemon.until("petit client is connected", isUp);
    sites.push({ nginx, client });
  }
  const [measured, flooded] = sites as [typeof sites[number], typeof sites[number]];
  const ways = {
    petit: {
      asked: [server.proxyPort, measured.client.id],
      flood: ["-H", `Host: ${flooded.client.id}`, `http://127.0.0.1:${server.proxyPort}${path}`],
    },
    direct: { asked: [measured.nginx.port, "localhost"], flood: [`http://127.0.0.1:${flooded.nginx.port}${path}`] },
  };
  const latencies = async ([port, host]: (string | number)[]) =>
    JSON.parse(
      await must([process.execPath, CALLER, ...[port, host, path, FLOOD_RATE, seconds].map(String)]),
    ) as Latencies;
  const measure = async ({ asked, flood }: typeof ways[keyof typeof ways], name: string) => {
    const calm = await latencies(asked);
    const wrkFlood = new Daemon(
      [wrk, "-t1", `-c${FLOOD_CONNECTIONS}`, "-d1h", ...flood],
      join(folder, `wrk_${name}.log`),
    );
    const under = await latencies(asked);
    await wrkFlood.stop();
    return { calm, flooded: under };
  };
  const samples: FloodSample[] = [];
  for (let round = 1; round <= rounds; round++) {
    const sample = {
      petit: await measure(ways.petit, `petit_${round}`),
      direct: await measure(ways.direct, `direct_${round}`),
    };
    samples.push(sample);
    const told = ({ calm, flooded }: FloodSample["petit"]) =>
      `${figure(calm.p99)} ms, flooded ${figure(flooded.p99)} ms`;
    say(`flood, round ${round} of ${rounds}: 99 % within ${told(sample.petit)}; direct ${told(sample.direct)}`);
  }
  for (const { nginx, client } of sites) {
    await client.daemon.stop();
    await nginx.daemon.stop();
  }
  await server.stop();
  return samples;
}
