import assert from "node:assert/strict";
import test from "node:test";
import {
  answerCount,
  answerRegisters,
  answerStats,
  answerUsage,
  countAnswer,
  statsAnswer,
  usageAnswer,
} from "../../../src/usage/usage_answers.ts";
import { MINUTE, NOON, refused, report, usageRecord } from "./fixture.ts";

const DAY = { start: NOON - 12 * 60 * MINUTE, end: NOON + 12 * 60 * MINUTE };

for (const written of [true, false]) {
  const how = written ? "what is written" : "what is not written yet";

  test(`usage: a registration's series and totals add up, from ${how}`, async (t) => {
    const { record, clock } = usageRecord(t);
    record.exchangeDone(report());
    record.exchangeDone(report({ status: 404, bytesIn: 1, bytesOut: 2 }));
    record.exchangeDone(report({ id: "1002" }));
    clock.now += 7 * MINUTE;
    record.exchangeDone(report({ kind: "tcp", status: 0, firstByteAfter: null, bytesIn: 5, bytesOut: 6 }));
    if (written) await record.flush();
    const answer = await answerUsage(record, "1001", DAY);
    assert.deepEqual(usageAnswer.parse(answer), answer, "as the description of the REST API has it");
    assert.deepEqual(answer.series.map(({ timestamp }) => timestamp), [NOON, NOON + 5 * MINUTE]);
    assert.equal(answer.series[0]?.date, "2026-05-01T12:00:00.000Z");
    assert.deepEqual(answer.series[0]?.statuses, { "2xx": 1, "4xx": 1 });
    assert.equal(answer.series[0]?.bytesOut, 1002);
    assert.equal(answer.series[1]?.connections, 1);
    const { latency, ...totals } = answer.totals;
    const bytes = { bytesIn: 106, bytesOut: 1008 };
    assert.deepEqual(totals, { requests: 2, connections: 1, ...bytes, statuses: { "2xx": 1, "4xx": 1 }, causes: {} });
    assert.ok(Math.abs((latency.p50 ?? 0) - 10) <= 0.5);
  });

  test(`usage: counts tell successes, errors and what could not be reached apart, from ${how}`, async (t) => {
    const { record } = usageRecord(t);
    for (const status of [200, 204, 304, 101]) record.exchangeDone(report({ status }));
    record.exchangeDone(report({ status: 404 }));
    record.exchangeDone(report({ status: 500 }));
    record.exchangeDone(report({ status: 200, error: "service-closed" }));
    record.exchangeDone(refused(400, "request-invalid"));
    record.exchangeDone(refused(503, "tunnel-away"));
    record.exchangeDone(refused(404, "registration-unknown", { id: null, brand: null }));
    record.exchangeDone(report({ status: 0, firstByteAfter: null, error: "caller-left" }));
    record.exchangeDone(report({ brand: "acme", status: 503 }));
    if (written) await record.flush();
    const count = async (type: string, code?: number, brand: string | null = "ce") => {
      const answer = await answerCount(record, DAY, { type, code, brand });
      return countAnswer.parse(answer).count;
    };
    assert.equal(await count("success"), 4);
    assert.equal(await count("error"), 4);
    assert.equal(await count("unavailable"), 2, "a request that names no registration belongs to the default brand");
    assert.equal(await count("errors"), 6);
    assert.equal(await count("requests"), 11);
    assert.equal(await count("requests", 404), 2);
    assert.equal(await count("unavailable", 404), 1);
    assert.equal(await count("requests", 503, "acme"), 1);
    assert.equal(await count("requests", undefined, null), 12);
    assert.equal(await count("toString"), 4, "an unknown type counts successes, as it did");
    const stats = await answerStats(record, "1001", DAY);
    assert.deepEqual(statsAnswer.parse(stats), stats);
    const { successes, errors, unavailables, left } = stats;
    assert.deepEqual({ successes, errors, unavailables, left }, { successes: 4, errors: 5, unavailables: 1, left: 1 });
    const causes = { "service-closed": 1, "request-invalid": 1, "tunnel-away": 1, "caller-left": 1 };
    assert.deepEqual(stats.causes, causes);
  });
}

test("usage: only the time asked for is counted, to the bucket", async (t) => {
  const { record, clock } = usageRecord(t);
  for (let time = 0; time < 5; time++) {
    record.exchangeDone(report());
    clock.now += 5 * MINUTE;
    if (time === 2) await record.flush();
  }
  const range = { start: NOON + 7 * MINUTE, end: NOON + 15 * MINUTE };
  const { series } = await answerUsage(record, "1001", range);
  assert.deepEqual(series.map(({ timestamp }) => (timestamp - NOON) / MINUTE), [5, 10, 15]);
  assert.deepEqual(await answerCount(record, range, { type: "requests", brand: null }), { count: 3 });
});

test("usage: buckets can be put together to longer steps", async (t) => {
  const { record, clock } = usageRecord(t);
  for (let time = 0; time < 6; time++) {
    record.exchangeDone(report());
    clock.now += 20 * MINUTE;
  }
  const { bucket, series } = await answerUsage(record, "1001", DAY, 60 * MINUTE);
  assert.equal(bucket, 60 * MINUTE);
  assert.deepEqual(series.map(({ timestamp, requests }) => [timestamp - NOON, requests]), [[0, 3], [60 * MINUTE, 3]]);
});

test("usage: a registration that nobody called has an empty series", async (t) => {
  const { record } = usageRecord(t);
  const { series, totals } = await answerUsage(record, "1001", DAY);
  assert.deepEqual(series, []);
  assert.equal(totals.requests, 0);
  assert.deepEqual(totals.latency, { p50: null, p90: null, p99: null });
});

test("usage: registrations made are counted once each, by brand and time", async (t) => {
  const { record, clock } = usageRecord(t);
  record.registered("1001", "ce");
  record.registered("1002", "acme");
  assert.deepEqual(await answerRegisters(record, DAY, null), { count: 2 });
  clock.now += 60 * MINUTE;
  record.registered("1001", "ce");
  record.registered("1003", "ce");
  assert.deepEqual(await answerRegisters(record, DAY, "ce"), { count: 2 });
  assert.deepEqual(await answerRegisters(record, { ...DAY, end: NOON }, "ce"), { count: 1 });
});

test("usage: the latency of refusals is not that of services", async (t) => {
  const { record } = usageRecord(t);
  record.exchangeDone(report({ firstByteAfter: 100 }));
  for (let time = 0; time < 9; time++) record.exchangeDone(refused(503, "tunnel-away", { firstByteAfter: 0.1 }));
  const { latency } = await answerStats(record, "1001", DAY);
  assert.ok((latency.p50 ?? 0) > 95);
});
