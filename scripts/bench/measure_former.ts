import { join } from "node:path";
import { abuse, ABUSES, startAbusedService } from "../../tests/peers/former_abuse.ts";
import { FormerServer } from "../../tests/peers/former_server.ts";
import type { Scope } from "../../tests/world/temporary_folder.ts";
import { figure } from "./figure.ts";
import { type Files, makeFiles } from "./files.ts";
import { Ending } from "./ending.ts";
import { formerServerSide, registerFormer } from "./former_sides.ts";
import { measureDownload } from "./measure_transfer.ts";
import { startNginx } from "./nginx.ts";
import type { Options } from "./options.ts";
import { isAnswered, Pair, type Services } from "./pair.ts";
import { PetitServer } from "./petit.ts";
import { petitServerSide, registerPetit } from "./petit_sides.ts";
import { memoryOf } from "./proc.ts";
import { processorTime } from "./processor_time.ts";
import type { Programs } from "./programs.ts";
import { say } from "./say.ts";
import { type Load, tolerantLoad } from "./tolerant_load.ts";
import { warmUp } from "./warm_up.ts";

export const RELEASES = ["petit", "former"] as const;
export type ReleaseName = typeof RELEASES[number];

export const RELEASE_TITLES: Readonly<Record<ReleaseName, string>> = { petit: "petit", former: "0.6.34" };

/** What one release did in one round: 1 KiB answers on 32 kept connections, and what else there is to compare. */
export interface ReleaseFigures extends Load {
  /** Processor time of all its processes for 1,000 requests, in seconds; what else the machine does hardly touches it. */
  readonly cpu: number;
  /** Whether a request went through when the load generator had closed its connections. */
  readonly survived: boolean;
  /** Ordinary requests beside and after callers that break off, and how many of them failed; all kinds together. */
  readonly asked: number;
  readonly askedInVain: number;
  /** MB/s of one large download; null where it failed. */
  readonly proxied: number | null;
  readonly raw: number | null;
  /** Resident before any load, in bytes: the server alone, what it needs beside it, the client of the service. */
  readonly server: number;
  readonly beside: number;
  readonly client: number;
}

/** Both in one round. */
export type FormerSample = Readonly<Record<ReleaseName, ReleaseFigures>>;

const CONNECTIONS = 32;
/** Seconds of warming up. */
const WARM_UP = 2;
/** Bytes of the large download, at most. */
const MAX_DOWNLOAD = 256 * 1024 ** 2;

/**
 * Measures this petit beside the server of 0.6.34 with its own client, its Redis and a stock sshd, in turns, each time
 * from a fresh start: that server dies when the callers of a round close their connections.
 */
export async function measureFormer(
  programs: Programs,
  executable: string,
  folder: string,
  options: Options,
): Promise<FormerSample[]> {
  const files = makeFiles(join(folder, "files"), Math.min(options.largeFile, MAX_DOWNLOAD));
  const ending = new Ending();
  const nginx = await startNginx(programs.nginx, join(folder, "nginx"), files);
  try {
    const services = { measured: nginx.port, abused: await startAbusedService(ending) };
    const releases = await makeReleases(executable, folder, services, ending);
    const samples: FormerSample[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      const figures: Partial<Record<ReleaseName, ReleaseFigures>> = {};
      for (const name of round % 2 === 1 ? RELEASES : RELEASES.toReversed()) {
        const found = await measurePair(releases[name], programs, files, options);
        figures[name] = found;
        say(
          `former, round ${round} of ${options.rounds}, ${RELEASE_TITLES[name]}: ${figure(found.rate)} requests/s, ` +
            `${figure(found.cpu)} s of processor time for 1,000; median ${figure(found.p50)} ms, 99 % ${
              figure(found.p99)
            } ms, ${found.failed} failed; ` +
            `the server ${found.survived ? "goes on" : "has died"}; ` +
            `beside callers that break off ${found.askedInVain} of ${found.asked} failed`,
        );
      }
      samples.push(figures as FormerSample);
    }
    return samples;
  } finally {
    await ending.end();
    await nginx.daemon.stop();
  }
}

async function makeReleases(
  executable: string,
  folder: string,
  services: Services,
  scope: Scope,
): Promise<Record<ReleaseName, Pair>> {
  const petit = await PetitServer.init(executable, join(folder, "server"));
  const former = await FormerServer.make(scope);
  return {
    petit: await Pair.make(petitServerSide(petit), () => registerPetit(executable, folder, petit, services)),
    former: await Pair.make(formerServerSide(former), () => registerFormer(scope, former.target, services)),
  };
}

async function measurePair(
  pair: Pair,
  { wrk, curl }: Programs,
  files: Files,
  { wrkSeconds }: Options,
): Promise<ReleaseFigures> {
  const path = `/${files.small.name}`;
  const { server, client } = pair;
  const { proxyPort } = server;
  const { hosts, rawPort } = client;
  await pair.start(path);
  try {
    const resident = (pids: number[]) => memoryOf(pids).resident;
    const memory = {
      server: resident(server.pids()),
      beside: resident(server.besidePids()),
      client: resident(client.pids()),
    };
    const download = async (port: number) => {
      const contender = { name: "proxy", port, host: hosts.measured, carriers: [] } as const;
      const sample = await measureDownload(contender, files, curl).catch((error: Error) => say(`  ${error.message}`));
      return sample?.["rate"] ?? null;
    };
    const downloads = { proxied: await download(proxyPort), raw: await download(rawPort) };
    await warmUp({ port: proxyPort, host: hosts.measured, path, connections: CONNECTIONS, seconds: WARM_UP });
    const cpu = processorTime(pair.pids, wrkSeconds);
    const load = await tolerantLoad(wrk, CONNECTIONS, wrkSeconds, { port: proxyPort, host: hosts.measured, path });
    const survived = await isAnswered(proxyPort, hosts.measured, path);

    let [asked, askedInVain] = [0, 0];
    for (const how of Object.values(ABUSES)) {
      await pair.stop();
      await pair.start(path);
      const outcome = await abuse({ port: proxyPort, host: hosts.abused }, how);
      asked += outcome.asked;
      askedInVain += outcome.failed.length;
    }
    return { ...memory, ...downloads, ...load, cpu: await cpu / load.rate * 1000, survived, asked, askedInVain };
  } finally {
    await pair.stop();
  }
}
