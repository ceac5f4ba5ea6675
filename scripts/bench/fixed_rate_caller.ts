// A caller that keeps to a schedule: fixed_rate_caller.ts PORT HOST PATH RATE SECONDS. Each request has its time, and
// its latency counts from then, sent or not: a caller that waits for slow answers before it asks again leaves out the
// very requests that would have been slow.
import process from "node:process";
import { Worker } from "node:worker_threads";
import { KeptConnection } from "./kept_connection.ts";

const [port = 0, host = "", path = "/", rate = 1, seconds = 1] = process.argv.slice(2).map((arg, index) =>
  index === 1 || index === 2 ? arg : Number(arg)
) as [number, string, string, number, number];

const CONNECTIONS = 16;
/** Milliseconds of the schedule that do not count, in which connections and caches get warm. */
const LEAD_IN = 1000;

const interval = 1000 / rate;
const total = Math.round((LEAD_IN / 1000 + seconds) * rate);

const request = Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: petit-bench\r\nAccept: */*\r\n\r\n`);
const idle: KeptConnection[] = [];
const overdue: number[] = [];
const latencies: number[] = [];
let answered = 0;

const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => KeptConnection.open(port, fail)));
idle.push(...connections);

const pace = new Worker(new URL("./pace.ts", import.meta.url));
const start = performance.timeOrigin + performance.now() + 100;
pace.on("message", (count: number) => {
  const due = start + count * interval;
  const connection = idle.shift();
  if (connection === undefined) overdue.push(due);
  else send(connection, due);
});
pace.on("error", fail);
pace.postMessage({ start, interval, total });

function send(connection: KeptConnection, due: number): void {
  connection.send(request, () => {
    if (due >= start + LEAD_IN) latencies.push(performance.timeOrigin + performance.now() - due);
    if (++answered === total) return finish();
    const next = overdue.shift();
    if (next === undefined) idle.push(connection);
    else send(connection, next);
  });
}

function finish(): void {
  latencies.sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.floor(latencies.length * part)];
  process.stdout.write(JSON.stringify({ p50: at(0.5), p99: at(0.99) }));
  process.exit(0);
}

function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
