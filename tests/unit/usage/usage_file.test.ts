import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import process from "node:process";
import test from "node:test";
import { answerCount, answerRegisters } from "../../../src/usage/usage_answers.ts";
import type { UsageRecord } from "../../../src/usage/usage_record.ts";
import { folderFor, MINUTE, NOON, report, usageRecord } from "./fixture.ts";

const EVER = { start: 0, end: NOON * 2 };

async function requests(record: UsageRecord): Promise<number> {
  return (await answerCount(record, EVER, { type: "requests", brand: null })).count;
}

test("usage file: figures survive a restart in the middle of a bucket", async (t) => {
  const before = usageRecord(t);
  before.record.exchangeDone(report());
  before.record.registered("1001", "ce");
  await before.record.close();
  const after = usageRecord(t, { path: before.path });
  after.record.exchangeDone(report());
  await after.record.flush();
  assert.equal(await requests(after.record), 2);
  assert.deepEqual(await answerRegisters(after.record, EVER, "ce"), { count: 1 });
});

test("usage file: nobody else can read it", { skip: process.platform === "win32" }, async (t) => {
  const { record, path } = usageRecord(t);
  record.exchangeDone(report());
  await record.flush();
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("usage file: what is no database is moved aside with a sentence, and a new record begins", async (t) => {
  const path = join(folderFor(t), "usage.db");
  writeFileSync(path, "not a database ".repeat(1000));
  const { record, log } = usageRecord(t, { path });
  record.exchangeDone(report());
  await record.flush();
  assert.equal(await requests(record), 1);
  const line = log.find(({ code }) => code === "usage-damaged");
  assert.match(line?.msg ?? "", /was moved to ".*usage\.db\.damaged-[\dTZ-]+", and a new one begins$/);
  assert.match(readFileSync(line?.["movedTo"] as string, "utf8"), /^not a database/);
});

test("usage file: damage that shows only while it is used does not end the record either", async (t) => {
  const first = usageRecord(t);
  for (let id = 1001; id < 1400; id++) first.record.exchangeDone(report({ id: String(id) }));
  await first.record.close();
  const bytes = readFileSync(first.path);
  bytes.fill(0xff, 4096);
  writeFileSync(first.path, bytes);
  const { record, log, path } = usageRecord(t, { path: first.path });
  record.exchangeDone(report());
  await record.flush();
  assert.equal(await requests(record), 1);
  assert.ok(log.some(({ code }) => code === "usage-damaged"));
  assert.ok(readdirSync(dirname(path)).some((name) => name.includes(".damaged-")));
});

test("usage file: what a lock keeps from being written waits, and is written once", async (t) => {
  const { record, path, log } = usageRecord(t);
  await record.flush();
  const other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  for (let time = 0; time < 3; time++) {
    record.exchangeDone(report());
    await record.flush();
  }
  assert.equal(record.waiting, 1);
  assert.match(record.fault ?? "", /locked/);
  assert.equal(log.filter(({ code }) => code === "usage-unusable").length, 1, "one warning a minute");
  other.exec("COMMIT");
  other.close();
  await record.flush();
  assert.equal(record.waiting, 0);
  assert.equal(record.fault, null);
  assert.equal(await requests(record), 3);
  assert.equal(record.dropped, 0);
});

test("usage file: a folder that is missing is waited for", async (t) => {
  const folder = join(folderFor(t), "later");
  const { record } = usageRecord(t, { path: join(folder, "usage.db") });
  record.exchangeDone(report());
  await record.flush();
  assert.equal(record.waiting, 1);
  mkdirSync(folder);
  await record.flush();
  assert.equal(await requests(record), 1);
});

test("usage file: beyond the bound the oldest is dropped and counted", async (t) => {
  const folder = join(folderFor(t), "missing");
  const { record, clock, log } = usageRecord(t, { path: join(folder, "usage.db"), maxWaiting: 3 });
  for (let time = 0; time < 5; time++) {
    record.exchangeDone(report());
    record.exchangeDone(report({ kind: "tcp", status: 0 }));
    clock.now += 5 * MINUTE;
  }
  await record.flush();
  assert.equal(record.waiting, 3);
  assert.equal(record.dropped, 4);
  mkdirSync(folder);
  await record.flush();
  const { count } = await answerCount(record, { start: 0, end: NOON + 9 * MINUTE }, { type: "requests", brand: null });
  assert.equal(count, 0, "the two oldest are gone");
  assert.equal(await requests(record), 3);
  await record.close();
  assert.equal(log.at(-1)?.code, "usage-dropped");
});

test("usage file: what cannot be written at the end is counted as dropped", async (t) => {
  const { record, log } = usageRecord(t, { path: join(folderFor(t), "missing", "usage.db") });
  record.exchangeDone(report());
  record.exchangeDone(report());
  await record.close();
  assert.equal(record.dropped, 2);
  assert.match(log.at(-1)?.msg ?? "", /lacks 2 requests/);
});

test("usage file: what is older than the retention goes, and nothing else", async (t) => {
  const { record, clock } = usageRecord(t, { retention: 60 * MINUTE });
  record.registered("1001", "ce");
  for (let id = 1; id <= 250; id++) record.exchangeDone(report({ id: String(1000 + id) }));
  await record.flush();
  clock.now += 59 * MINUTE;
  record.exchangeDone(report());
  await record.flush();
  assert.equal(await requests(record), 251);
  clock.now += 62 * MINUTE - 59 * MINUTE;
  await record.flush();
  assert.equal(await requests(record), 1);
  assert.deepEqual(await answerRegisters(record, EVER, null), { count: 0 });
  assert.equal((await record.usageOf("1100", EVER)).size, 0);
});

test("usage file: a folder that cannot be written to is no fault of callers", {
  skip: process.platform === "win32" || process.getuid?.() === 0 ? "root may write everywhere" : false,
}, async (t) => {
  const folder = folderFor(t);
  chmodSync(folder, 0o500);
  const { record } = usageRecord(t, { path: join(folder, "usage.db") });
  record.exchangeDone(report());
  await record.flush();
  assert.match(record.fault ?? "", /EACCES|permission/);
  chmodSync(folder, 0o700);
  rmSync(join(folder, "usage.db"), { force: true });
});
