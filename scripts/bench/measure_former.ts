import { join } from "node:path";
import { abuse, ABUSES, startAbusedService } from "../../tests/peers/former_abuse.ts";
import { figure } from "./figure.ts";
import { type Files, makeFiles } from "./files.ts";
import { Ending, isAnswered, makeFormer, makePetit, type Release } from "./former.ts";
import { measureDownload } from "./measure_transfer.ts";
import { startNginx } from "./nginx.ts";
import type { Options } from "./options.ts";
import { memoryOf } from "./proc.ts";
import { run } from "./processes.ts";
import type { Programs } from "./programs.ts";
import { say } from "./say.ts";
import { warmUp } from "./warm_up.ts";

export const RELEASES = ["petit", "former"] as const;
export type ReleaseName = typeof RELEASES[number];

export const RELEASE_TITLES: Readonly<Record<ReleaseName, string>> = { petit: "petit", former: "0.6.34" };

/** What one release did in one round: 1 KiB answers on 32 kept connections, and what else there is to compare. */
export interface ReleaseFigures {
  /** Requests per second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Requests that failed while it was measured. */
  readonly failed: number;
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
    const releases: Record<ReleaseName, Release> = {
      petit: await makePetit(executable, folder, services),
      former: await makeFormer(ending, services),
    };
    const samples: FormerSample[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      const figures: Partial<Record<ReleaseName, ReleaseFigures>> = {};
      for (const name of round % 2 === 1 ? RELEASES : RELEASES.toReversed()) {
        const found = await measureRelease(releases[name], programs, files, options);
        figures[name] = found;
        say(
          `former, round ${round} of ${options.rounds}, ${RELEASE_TITLES[name]}: ${figure(found.rate)} requests/s, ` +
            `median ${figure(found.p50)} ms, 99 % ${figure(found.p99)} ms, ${found.failed} failed; ` +
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

async function measureRelease(
  release: Release,
  { wrk, curl }: Programs,
  files: Files,
  { wrkSeconds }: Options,
): Promise<ReleaseFigures> {
  const path = `/${files.small.name}`;
  const { proxyPort, rawPort, hosts } = release;
  await release.start(path);
  try {
    const pids = release.pids();
    const resident = (of: keyof typeof pids) => memoryOf(pids[of]).resident;
    const memory = { server: resident("server"), beside: resident("beside"), client: resident("client") };
    const download = async (port: number) => {
      const contender = { name: "proxy", port, host: hosts.measured, carriers: [] } as const;
      const sample = await measureDownload(contender, files, curl).catch((error: Error) => say(`  ${error.message}`));
      return sample?.["rate"] ?? null;
    };
    const downloads = { proxied: await download(proxyPort), raw: await download(rawPort) };
    await warmUp({ port: proxyPort, host: hosts.measured, path, connections: CONNECTIONS, seconds: WARM_UP });
    const load = await loadWithWrk(wrk, proxyPort, hosts.measured, path, wrkSeconds);
    const survived = await isAnswered(proxyPort, hosts.measured, path);

    let [asked, askedInVain] = [0, 0];
    for (const how of Object.values(ABUSES)) {
      await release.stop();
      await release.start(path);
      const outcome = await abuse({ port: proxyPort, host: hosts.abused }, how);
      asked += outcome.asked;
      askedInVain += outcome.failed.length;
    }
    return { ...memory, ...downloads, ...load, survived, asked, askedInVain };
  } finally {
    await release.stop();
  }
}

/** As many requests as wrk can get through. Requests that fail are counted, and do not end it. */
async function loadWithWrk(
  wrk: string,
  port: number,
  host: string,
  path: string,
  seconds: number,
): Promise<Pick<ReleaseFigures, "rate" | "p50" | "p99" | "failed">> {
  const { code, stdout, stderr } = await run([
    wrk,
    ...["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "--timeout", "10s", "--latency", "-H", `Host: ${host}`],
    `http://127.0.0.1:${port}${path}`,
  ]);
  if (code !== 0) throw new Error(`wrk ended with ${code}: ${stderr.trim()}`);
  const count = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const [connect, read, write, timeout] = ["connect", "read", "write", "timeout"].map((kind) =>
    count(new RegExp(`Socket errors:.*${kind} (\\d+)`))
  ) as [number, number, number, number];
  const refused = count(/Non-2xx or 3xx responses: (\d+)/);
  return {
    rate: count(/Requests\/sec:\s+([\d.]+)/) * (1 - refused / Math.max(1, count(/(\d+) requests in/))),
    p50: milliseconds(stdout, "50%"),
    p99: milliseconds(stdout, "99%"),
    failed: refused + connect + read + write + timeout,
  };
}

/** A line of wrk's distribution, such as "50%    1.62ms". */
function milliseconds(text: string, part: string): number {
  const [, value, unit] = new RegExp(`^\\s+${part}\\s+([\\d.]+)(us|ms|s|m)$`, "m").exec(text) ?? [];
  if (value === undefined || unit === undefined) throw new Error(`wrk told no latencies:\n${text}`);
  return Number(value) * { us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit as "us" | "ms" | "s" | "m"];
}
