import type { ExchangeCounters } from "../observe/exchange_counters.ts";
import type { ServerSources } from "../observe/metrics.ts";
import type { UsageRecord } from "../usage/usage_record.ts";
import type { Disconnects } from "./disconnects.ts";
import type { Hold } from "./hold.ts";
import type { Routes } from "./routes.ts";
import type { Tunnels } from "./tunnels.ts";

/** What the metrics of a server are read from, given its parts. */
export function metricsSources(
  parts: {
    readonly exchanges: ExchangeCounters;
    readonly routes: Routes;
    readonly tunnels: Tunnels;
    readonly hold: Hold;
    readonly disconnects: Disconnects;
    readonly logins: { readonly refused: number };
    readonly usage: UsageRecord | undefined;
  },
): ServerSources {
  const { exchanges, routes, tunnels, hold, disconnects, logins, usage } = parts;
  const links = () => new Set(Array.from(tunnels.all, ({ connection }) => connection.link));
  return {
    exchanges,
    registrations: () => Array.from(routes.all).length,
    tunnels: () => links().size,
    served: () => tunnels.size,
    channelsOpen: () => [...links()].reduce((total, { channels }) => total + channels, 0),
    held: () => hold.size,
    holds: () => hold.counts,
    disconnects: () => disconnects.counts,
    loginsRefused: () => logins.refused,
    usageDropped: () => usage?.dropped ?? 0,
    usageWaiting: () => usage?.waiting ?? 0,
  };
}
