import prometheus, { type Registry } from "prom-client";
import { version } from "../platform/version.ts";
import { DURATION_CLASSES, type ExchangeCounters } from "./exchange_counters.ts";
import { addProcessMetrics } from "./process_metrics.ts";

/**
 * Figures for Prometheus. They are read from plain counters when they are asked for, so that nothing is paid for them before. No
 * figure is labelled with a registration: ten thousand of them would be as many series for each figure, and /usage has them.
 *
 * The library is imported as a whole, since Deno cannot see the names in a CommonJS module.
 */

export type MetricsRegistry = Registry;

/** What the figures of a server are read from. */
export interface ServerSources {
  readonly exchanges: ExchangeCounters;
  readonly registrations: () => number;
  /** Clients of petit 0.6.x. */
  readonly oldClients: () => number;
  /** Clients connected. */
  readonly tunnels: () => number;
  /** Registrations that can be reached. */
  readonly served: () => number;
  readonly channelsOpen: () => number;
  /** Requests and connections that wait for a client that is away. */
  readonly held: () => number;
  /** What became of those that waited, since the start. */
  readonly holds: () => { readonly served: number; readonly timeout: number; readonly refused: number };
  /** Tunnels that ended since the start, by code. */
  readonly disconnects: () => Iterable<readonly [code: string, count: number]>;
  /** How many registrations have each light in each state. */
  readonly lights: () => readonly { readonly light: string; readonly state: string; readonly count: number }[];
  /** Since the start, as is the next one. */
  readonly loginsRefused: () => number;
  /** Connections to the gateway that were closed before they could log in, by reason. */
  readonly loginsThrottled: () => Iterable<readonly [reason: string, count: number]>;
  /** Connections to the gateway that are not logged in. */
  readonly startups: () => number;
  /** Connections of callers, on all ports. */
  readonly callers: () => number;
  readonly usageDropped: () => number;
  readonly usageWaiting: () => number;
}

/** What the figures of a client are read from. */
export interface ClientSources {
  readonly connected: () => boolean;
  /** How often the tunnel was lost and made again, since the start. */
  readonly reconnects: () => number;
  /** Tunnels that ended since the start, by code. */
  readonly disconnects: () => Iterable<readonly [code: string, count: number]>;
  readonly channelsOpen: () => number;
  /** How often the service could not be reached, since the start. */
  readonly dialFailures: () => number;
  /** The lights of each tenant. */
  readonly lights: () => readonly { readonly tenant: string; readonly light: string; readonly green: boolean }[];
}

/** The figures of a running server: `await registry.metrics()`, with `registry.contentType`. */
export function serverMetrics(sources: ServerSources): Registry {
  const registry = new prometheus.Registry();
  const { exchanges } = sources;
  about(registry, "server");
  counters(
    registry,
    "petit_requests_total",
    "Requests of callers, by class of the status they were answered with",
    "status",
    () =>
      exchanges.byClass.flatMap((count, index) =>
        count > 0 || (index >= 1 && index <= 5) ? [[index === 0 ? "none" : `${index}xx`, count] as const] : []
      ),
  );
  counters(
    registry,
    "petit_errors_total",
    "Requests and connections that went wrong, by code",
    "code",
    () => exchanges.errors,
  );
  counters(
    registry,
    "petit_bytes_total",
    "Bytes from callers (in) and to them (out)",
    "direction",
    () => Object.entries(exchanges.bytes),
  );
  counter(registry, "petit_raw_connections_total", "Connections to reverse ports", () => exchanges.rawConnections);
  counter(
    registry,
    "petit_upgrades_total",
    "Connections that left HTTP, for WebSocket or another protocol",
    () => exchanges.upgrades,
  );
  gauge(registry, "petit_open_connections", "Connections that are not HTTP and go on", () => exchanges.open);
  durations(registry, exchanges);
  gauge(registry, "petit_registrations", "Registrations", sources.registrations);
  gauge(registry, "petit_old_clients", "Clients that are still of petit 0.6", sources.oldClients);
  gauge(registry, "petit_tunnels", "Clients connected", sources.tunnels);
  gauge(registry, "petit_served_registrations", "Registrations whose client is connected", sources.served);
  gauges(
    registry,
    "petit_registrations_lights",
    "Registrations by the state of each of their lights: client, tunnel, service",
    ["light", "state"],
    () => sources.lights().map(({ count, ...labels }) => [labels, count]),
  );
  gauge(registry, "petit_channels_open", "Channels open in all tunnels", sources.channelsOpen);
  counters(registry, "petit_disconnects_total", "Tunnels that ended, by reason", "reason", sources.disconnects);
  gauge(registry, "petit_held", "Requests and connections that wait for a client that is away", sources.held);
  counters(
    registry,
    "petit_holds_total",
    "Requests and connections that waited for a client, by what became of them",
    "outcome",
    () => Object.entries(sources.holds()),
  );
  counter(registry, "petit_logins_refused_total", "Logins at the gateway that were refused", sources.loginsRefused);
  counters(
    registry,
    "petit_logins_throttled_total",
    "Connections to the gateway that were closed before they could log in, by reason",
    "reason",
    sources.loginsThrottled,
  );
  gauge(registry, "petit_callers", "Connections of callers, on all ports", sources.callers);
  gauge(registry, "petit_startups", "Connections to the gateway that are not logged in", sources.startups);
  counter(
    registry,
    "petit_usage_dropped_total",
    "Requests and connections that are missing from the usage record",
    sources.usageDropped,
  );
  gauge(registry, "petit_usage_waiting", "Entries of the usage record that wait to be written", sources.usageWaiting);
  addProcessMetrics(registry);
  return registry;
}

/** The figures of a running client. */
export function clientMetrics(sources: ClientSources): Registry {
  const registry = new prometheus.Registry();
  about(registry, "client");
  gauge(registry, "petit_connected", "1 while the tunnel is up", () => Number(sources.connected()));
  counter(registry, "petit_reconnects_total", "How often the tunnel was lost and made again", sources.reconnects);
  counters(registry, "petit_disconnects_total", "Tunnels that ended, by reason", "reason", sources.disconnects);
  gauge(registry, "petit_channels_open", "Channels open in the tunnel", sources.channelsOpen);
  counter(
    registry,
    "petit_service_dial_failures_total",
    "How often the service could not be reached",
    sources.dialFailures,
  );
  gauges(
    registry,
    "petit_tenant_light",
    "1 while a light of a tenant is green: client, tunnel, service",
    ["tenant", "light"],
    () => sources.lights().map(({ green, ...labels }) => [labels, Number(green)]),
  );
  addProcessMetrics(registry);
  return registry;
}

function about(registry: Registry, role: string): void {
  const labelNames = ["version", "role"];
  const help = "Always 1; says what runs";
  const info = new prometheus.Gauge({ name: "petit_build_info", help, labelNames, registers: [registry] });
  info.set({ version, role }, 1);
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new prometheus.Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** One gauge with labels, whose values all come from `read`. */
function gauges(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  read: () => readonly (readonly [labels: Record<string, string>, value: number])[],
): void {
  new prometheus.Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.set(labels, value);
    },
  });
}

function counter(registry: Registry, name: string, help: string, read: () => number): void {
  new prometheus.Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}

/** One counter with a label, whose values all come from `read`. */
function counters(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  read: () => Iterable<readonly [value: string, count: number]>,
): void {
  new prometheus.Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, count] of read()) this.inc({ [label]: value }, count);
    },
  });
}

/** The library's own histogram sorts every single value into its classes by hashing labels; these are counted already. */
function durations(registry: Registry, exchanges: ExchangeCounters): void {
  const name = "petit_request_duration_seconds";
  const help = "Time from the first byte of a request to the last of its answer";
  const get = () => {
    let passed = 0;
    const values = exchanges.durations.map((count, index) => {
      passed += count;
      return { metricName: `${name}_bucket`, labels: { le: DURATION_CLASSES[index] ?? "+Inf" }, value: passed };
    });
    return {
      name,
      help,
      type: "histogram",
      aggregator: "sum",
      values: [
        ...values,
        { metricName: `${name}_sum`, labels: {}, value: exchanges.durationSum },
        { metricName: `${name}_count`, labels: {}, value: passed },
      ],
    };
  };
  registry.registerMetric({ name, get } as never);
}
