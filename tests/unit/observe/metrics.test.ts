import assert from "node:assert/strict";
import test from "node:test";
import { ExchangeCounters } from "../../../src/observe/exchange_counters.ts";
import { clientMetrics, serverMetrics } from "../../../src/observe/metrics.ts";
import { exchange } from "./exchange.ts";

function server() {
  const exchanges = new ExchangeCounters();
  const registry = serverMetrics({
    exchanges,
    registrations: () => 3,
    oldClients: () => 2,
    tunnels: () => 1,
    served: () => 2,
    disconnects: () => [["reset", 8], ["stopped", 0]],
    held: () => 3,
    holds: () => ({ served: 5, timeout: 2, refused: 1 }),
    channelsOpen: () => 5,
    lights: () => [
      { light: "client", state: "green", count: 2 },
      { light: "service", state: "red", count: 1 },
    ],
    loginsRefused: () => 4,
    loginsThrottled: () => Object.entries({ source: 5, overall: 6, startups: 0 }),
    startups: () => 2,
    callers: () => 9,
    usageDropped: () => 6,
    usageWaiting: () => 7,
  });
  return { exchanges, text: () => registry.metrics() };
}

/** The value of a line of the text format. */
function value(text: string, series: string): number | undefined {
  const line = text.split("\n").find((line) => line.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test("metrics: requests, errors and bytes are counted by class, code and direction", async () => {
  const { exchanges, text } = server();
  for (const status of [200, 204, 404, 0]) exchanges.exchangeDone(exchange({ status, bytesIn: 10, bytesOut: 20 }));
  exchanges.exchangeDone(exchange({ status: 503, refused: true, error: "tunnel-away", bytesIn: 10, bytesOut: 20 }));
  const found = await text();
  assert.equal(value(found, 'petit_requests_total{status="2xx"}'), 2);
  assert.equal(value(found, 'petit_requests_total{status="3xx"}'), 0);
  assert.equal(value(found, 'petit_requests_total{status="none"}'), 1);
  assert.equal(value(found, 'petit_errors_total{code="tunnel-away"}'), 1);
  assert.equal(value(found, 'petit_bytes_total{direction="in"}'), 50);
  assert.equal(value(found, 'petit_bytes_total{direction="out"}'), 100);
  assert.equal(await text().then((again) => value(again, 'petit_requests_total{status="2xx"}')), 2, "asked twice");
});

test("metrics: durations are a cumulative histogram in seconds", async () => {
  const { exchanges, text } = server();
  for (const duration of [0.5, 3, 3, 700, 90_000]) exchanges.exchangeDone(exchange({ duration }));
  const found = await text();
  const below = (le: string) => value(found, `petit_request_duration_seconds_bucket{le="${le}"}`);
  assert.deepEqual(["0.001", "0.0025", "0.005", "1", "60", "+Inf"].map(below), [1, 1, 3, 4, 4, 5]);
  assert.equal(value(found, "petit_request_duration_seconds_count"), 5);
  assert.ok(Math.abs((value(found, "petit_request_duration_seconds_sum") ?? 0) - 90.7065) < 1e-6);
});

test("metrics: connections that go on count their bytes, once", async () => {
  const { exchanges, text } = server();
  const report = { ...exchange({ kind: "tcp", status: 0 }), bytesIn: 10, bytesOut: 20 };
  exchanges.connectionBegun(report);
  const going = await text();
  assert.equal(value(going, "petit_open_connections"), 1);
  assert.equal(value(going, 'petit_bytes_total{direction="out"}'), 20);
  report.bytesOut = 50;
  exchanges.exchangeDone(report);
  const over = await text();
  assert.equal(value(over, "petit_open_connections"), 0);
  assert.equal(value(over, "petit_raw_connections_total"), 1);
  assert.equal(value(over, 'petit_bytes_total{direction="out"}'), 50);
});

test("metrics: what the server holds is read when it is asked for", async () => {
  const found = await server().text();
  const names = ["registrations", "tunnels", "served_registrations", "channels_open", "logins_refused_total"];
  assert.deepEqual(names.map((name) => value(found, `petit_${name}`)), [3, 1, 2, 5, 4]);
  assert.equal(value(found, 'petit_registrations_lights{light="client",state="green"}'), 2);
  assert.equal(value(found, 'petit_registrations_lights{light="service",state="red"}'), 1);
  assert.deepEqual([value(found, "petit_usage_dropped_total"), value(found, "petit_usage_waiting")], [6, 7]);
  assert.deepEqual([value(found, 'petit_logins_throttled_total{reason="overall"}'), value(found, "petit_startups")], [
    6,
    2,
  ]);
  const reasons = ["reset", "stopped"].map((reason) => value(found, `petit_disconnects_total{reason="${reason}"}`));
  assert.deepEqual(reasons, [8, 0]);
});

test("metrics: every figure has a help line, a type, and no label that callers or clients choose", async () => {
  const { exchanges, text } = server();
  exchanges.exchangeDone(exchange({ error: "caller-left" }));
  const found = await text();
  const series = found.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const families = new Set(series.map((line) => /^\w+/.exec(line)?.[0]?.replace(/_(bucket|sum|count)$/, "") as string));
  for (const name of families) {
    assert.match(found, new RegExp(`^# HELP ${name} \\S`, "m"));
    assert.match(found, new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`, "m"));
  }
  for (const line of series) {
    assert.match(
      line,
      /^\w+(\{(?:(?:status|code|direction|reason|outcome|le|version|role|light|state)="[^"]*",?)+\})? \S+$/,
    );
  }
});

test("metrics: a client tells whether it is connected", async () => {
  let connected = false;
  const registry = clientMetrics({
    connected: () => connected,
    reconnects: () => 2,
    disconnects: () => [["reset", 5]],
    channelsOpen: () => 3,
    dialFailures: () => 4,
    lights: () => [
      { tenant: "default", light: "tunnel", green: true },
      { tenant: "default", light: "service", green: false },
    ],
  });
  assert.equal(value(await registry.metrics(), "petit_connected"), 0);
  connected = true;
  const found = await registry.metrics();
  assert.equal(value(found, "petit_connected"), 1);
  assert.equal(value(found, 'petit_tenant_light{tenant="default",light="tunnel"}'), 1);
  assert.equal(value(found, 'petit_tenant_light{tenant="default",light="service"}'), 0);
  const names = ["reconnects_total", "channels_open", "service_dial_failures_total"];
  assert.deepEqual(names.map((name) => value(found, `petit_${name}`)), [2, 3, 4]);
  assert.equal(value(found, 'petit_disconnects_total{reason="reset"}'), 5);
});

test("metrics: the process tells its time and memory", async () => {
  const found = await server().text();
  assert.ok((value(found, "process_cpu_seconds_total") ?? 0) > 0);
  assert.ok((value(found, "process_resident_memory_bytes") ?? 0) > 1e6);
  const started = value(found, "process_start_time_seconds") ?? 0;
  assert.ok(started > 1.7e9 && started <= Date.now() / 1000);
});
