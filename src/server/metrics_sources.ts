import type { ServerConfig } from "../config/schema.ts";
import type { ExchangeCounters } from "../observe/exchange_counters.ts";
import type { ServerSources } from "../observe/metrics.ts";
import type { UsageRecord } from "../usage/usage_record.ts";
import { LIGHT_NAMES } from "../tunnel/lights.ts";
import type { CallerPlaces } from "./caller_places.ts";
import type { Disconnects } from "./disconnects.ts";
import type { Hold } from "./hold.ts";
import { lightStates, patienceOf } from "./lights.ts";
import { countOldClients } from "./legacy/old_clients.ts";
import type { LoginGuard } from "./login/login_guard.ts";
import type { Routes } from "./routes.ts";
import type { Tunnels } from "./tunnels.ts";

/** What the metrics of a server are read from, given its parts. */
export function metricsSources(
  parts: {
    readonly config: ServerConfig;
    readonly exchanges: ExchangeCounters;
    readonly routes: Routes;
    readonly tunnels: Tunnels;
    readonly hold: Hold;
    readonly disconnects: Disconnects;
    readonly logins: { readonly refused: number };
    readonly guard: LoginGuard;
    readonly places: CallerPlaces;
    readonly usage: UsageRecord | undefined;
  },
): ServerSources {
  const { config, exchanges, routes, tunnels, hold, disconnects, logins, guard, places, usage } = parts;
  const links = () => new Set(Array.from(tunnels.all, ({ connection }) => connection.link));
  return {
    exchanges,
    registrations: () => Array.from(routes.all).length,
    oldClients: () => countOldClients(routes.all).old.length,
    tunnels: () => links().size,
    served: () => tunnels.size,
    channelsOpen: () => [...links()].reduce((total, { channels }) => total + channels, 0),
    held: () => hold.size,
    holds: () => hold.counts,
    disconnects: () => disconnects.counts,
    lights: () => {
      const patience = patienceOf(config.ssh.clientAliveInterval, config.probeInterval);
      const now = performance.now();
      const counts = LIGHT_NAMES.map(() => ({ green: 0, red: 0, unknown: 0 }));
      for (const { id } of routes.all) {
        lightStates(tunnels.of(id), patience, now).forEach((state, i) => (counts[i] as typeof counts[0])[state]++);
      }
      return LIGHT_NAMES.flatMap((light, i) =>
        Object.entries(counts[i] as object).map(([state, count]) => ({ light, state, count }))
      );
    },
    loginsRefused: () => logins.refused,
    loginsThrottled: () => Object.entries(guard.throttled),
    startups: () => guard.startups,
    callers: () => places.size,
    usageDropped: () => usage?.dropped ?? 0,
    usageWaiting: () => usage?.waiting ?? 0,
  };
}
