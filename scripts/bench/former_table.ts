import { figure } from "./figure.ts";
import { type FormerSample, RELEASE_TITLES, type ReleaseFigures, RELEASES } from "./measure_former.ts";
import { median } from "./rounds.ts";

/** This petit beside 0.6.34, one line for each figure. */
export function formerTable(samples: readonly FormerSample[]): string[][] {
  const line = (what: string, value: (figures: ReleaseFigures) => number | null) => {
    const ratios = samples.map(({ petit, former }) => {
      const [own, theirs] = [value(petit), value(former)];
      return own === null || theirs === null || theirs === 0 ? null : own / theirs;
    });
    return [
      what,
      ...RELEASES.map((name) => figure(median(samples.map((sample) => value(sample[name]))))),
      figure(median(ratios)),
    ];
  };
  return [
    ["beside 0.6.34, each server with its own client", ...RELEASES.map((name) => RELEASE_TITLES[name]), "ratio"],
    line("1 KiB, 32 keep-alive connections, requests/s", ({ rate }) => rate),
    line("  latency, median, ms", ({ p50 }) => p50),
    line("  latency, 99 %, ms", ({ p99 }) => p99),
    line("  processor time for 1,000 of them, server, client and what they need, s", ({ cpu }) => cpu),
    line("  requests that failed", ({ failed }) => failed),
    line("  servers that died when the caller had finished, %", ({ survived }) => survived ? 0 : 100),
    line("ordinary requests beside callers that break off, failed, %", (one) => one.askedInVain / one.asked * 100),
    line("large download, HTTP proxy, MB/s", ({ proxied }) => proxied),
    line("large download, reverse port, MB/s", ({ raw }) => raw),
    line("memory of the idle server, MB", ({ server }) => server / 1e6),
    line("  of its sshd and Redis", ({ beside }) => beside / 1e6),
    line("memory of the idle client, MB", ({ client }) => client / 1e6),
  ];
}
