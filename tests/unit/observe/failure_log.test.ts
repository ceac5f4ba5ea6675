import assert from "node:assert/strict";
import test from "node:test";
import pino from "pino";
import { FailureLog } from "../../../src/observe/failure_log.ts";
import { OnceAMinute } from "../../../src/observe/once_a_minute.ts";
import { exchange } from "./exchange.ts";

function failureLog(level: string) {
  const lines: Record<string, unknown>[] = [];
  const clock = { now: 0 };
  const log = pino({ level, base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } }, {
    write: (text: string) => void lines.push(JSON.parse(text)),
  });
  return { lines, clock, failures: new FailureLog(log, new OnceAMinute(() => clock.now)) };
}

const FAILED = exchange({ status: 503, refused: true, error: "tunnel-away", channel: null });

test("failure log: a line names registration, channel, request and code", () => {
  const { lines, failures } = failureLog("debug");
  failures.exchangeDone(
    exchange({ request: "a-7", channel: 3, status: 502, refused: true, error: "service-refused", cause: "port 1" }),
  );
  const [line] = lines;
  assert.deepEqual([line?.["id"], line?.["channel"], line?.["request"], line?.["code"]], [
    "1001",
    3,
    "a-7",
    "service-refused",
  ]);
  assert.equal(line?.["msg"], "A request of 1001 was refused: service-refused (port 1)");
});

test("failure log: the first of a registration and code is a warning, the rest of the minute is for debugging", () => {
  const { lines, clock, failures } = failureLog("debug");
  for (let time = 0; time < 3; time++) failures.exchangeDone(FAILED);
  failures.exchangeDone({ ...FAILED, id: "1002" });
  failures.exchangeDone({ ...FAILED, error: "tunnel-lost" });
  assert.deepEqual(lines.map(({ level }) => level), ["warn", "debug", "debug", "warn", "warn"]);
  clock.now += 60_000;
  failures.exchangeDone(FAILED);
  assert.deepEqual([lines.at(-1)?.["level"], lines.at(-1)?.["repeated"]], ["warn", 2]);
});

test("failure log: callers that leave, and what went well, are nothing to warn of", () => {
  const { lines, failures } = failureLog("info");
  failures.exchangeDone(exchange());
  failures.exchangeDone(exchange({ error: "caller-left" }));
  assert.deepEqual(lines, []);
});
