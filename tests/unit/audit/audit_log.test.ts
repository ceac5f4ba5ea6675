import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { AuditLog } from "../../../src/audit/audit_log.ts";
import { AuditStore } from "../../../src/audit/audit_store.ts";
import { type AuditVerdict, verifyAudit } from "../../../src/audit/verify_audit.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";

const DAY = 86_400_000;

/** An audit log with a clock that is set by hand. */
function newLog(t: test.TestContext) {
  const path = join(temporaryFolder(t), "audit.db");
  const clock = { now: 1_000_000, minutes: 0 };
  const log = new AuditLog({
    path,
    log: silentLog(),
    retention: () => DAY,
    now: () => clock.now,
    clock: () => clock.minutes * 60_000,
  });
  t.after(() => log.close());
  const verdict = (head?: AuditVerdict["head"]) => {
    log.flush();
    const store = new AuditStore(path);
    try {
      return verifyAudit(store, head);
    } finally {
      store.close();
    }
  };
  /** Changes the file as somebody would who is cunning enough to drop the triggers. */
  const tamper = (sql: string) => {
    log.flush();
    const db = new DatabaseSync(path);
    db.exec("DROP TRIGGER IF EXISTS entries_stay_as_they_are; DROP TRIGGER IF EXISTS entries_stay");
    db.exec(sql);
    db.close();
  };
  return { path, clock, log, verdict, tamper };
}

function fill(log: AuditLog, count: number): void {
  for (let i = 1; i <= count; i++) log.record("alias-added", { id: String(1000 + i), alias: `host${i}.example.com` });
}

test("entries come back in their order with their facts, and the chain is whole", (t) => {
  const { log, verdict } = newLog(t);
  fill(log, 3);
  assert.deepEqual(
    log.latest(10).map(({ seq, event, at }) => [seq, event, at]),
    [[4, "alias-added", 1_000_000], [3, "alias-added", 1_000_000], [2, "alias-added", 1_000_000], [
      1,
      "log-begun",
      1_000_000,
    ]],
  );
  assert.equal(log.latest(1)[0]?.facts, '{"id":"1003","alias":"host3.example.com"}');
  const { fault, entries, head } = verdict();
  assert.equal(fault, null);
  assert.equal(entries, 4);
  assert.equal(head.seq, 4);
});

const TAMPERED: [what: string, sql: string, fault: RegExp][] = [
  ["a fact", `UPDATE entries SET facts = '{"id":"1","alias":"x"}' WHERE seq = 3`, /^Entry 3 is not what was written/],
  ["an event", "UPDATE entries SET event = 'alias-removed' WHERE seq = 3", /^Entry 3 is not what was written/],
  ["a time", "UPDATE entries SET at = at + 1 WHERE seq = 3", /^Entry 3 is not what was written/],
  ["a hash", `UPDATE entries SET hash = '${"ab".repeat(32)}' WHERE seq = 3`, /^Entry 3 is not what was written/],
  ["a place", "UPDATE entries SET seq = 99 WHERE seq = 6", /^Entry 6 is missing/],
  ["one that was taken out", "DELETE FROM entries WHERE seq = 3", /^Entry 3 is missing/],
  [
    "one that was taken out, with the others moved up",
    "DELETE FROM entries WHERE seq = 3; UPDATE entries SET seq = 3 WHERE seq = 4; UPDATE entries SET seq = 4 WHERE seq = 5; UPDATE entries SET seq = 5 WHERE seq = 6",
    /^Entry 3 is not what was written/,
  ],
  ["the first one gone", "DELETE FROM entries WHERE seq = 1", /^Entry 1 is missing/],
  [
    "the first ones gone, as if they had been pruned",
    "UPDATE anchor SET seq = 2, hash = (SELECT hash FROM entries WHERE seq = 2); DELETE FROM entries WHERE seq <= 2",
    /^No entry says that those up to 2 were pruned/,
  ],
];

for (const [what, sql, fault] of TAMPERED) {
  test(`a change is found: ${what}`, (t) => {
    const { log, verdict, tamper } = newLog(t);
    fill(log, 5);
    assert.equal(verdict().fault, null);
    tamper(sql);
    assert.match(verdict().fault?.message ?? "none", fault);
  });
}

test("a log whose end was cut off, or that was made anew, no longer holds the head that was noted", (t) => {
  const { log, verdict, tamper } = newLog(t);
  fill(log, 5);
  const { head } = verdict();
  fill(log, 1);
  assert.equal(verdict(head).fault, null);
  tamper("DELETE FROM entries WHERE seq >= 5");
  assert.equal(verdict().fault, null);
  assert.match(
    verdict(head).fault?.message ?? "none",
    /^The log ends at entry 4: what was written up to entry 6 is gone/,
  );
  fill(log, 5);
  assert.match(verdict(head).fault?.message ?? "none", /^Entry 6 has another hash than the one that was noted/);
});

test("the file refuses what is not an addition", (t) => {
  const { path, log } = newLog(t);
  fill(log, 2);
  log.flush();
  const db = new DatabaseSync(path);
  t.after(() => db.close());
  assert.throws(() => db.exec("UPDATE entries SET event = 'x'"), /only added to/);
  assert.throws(() => db.exec("DELETE FROM entries"), /only added to/);
});

test("entries that are too old go, an entry says so, and the chain stays whole", (t) => {
  const { clock, log, verdict } = newLog(t);
  fill(log, 500);
  log.flush();
  const { head } = verdict();
  clock.now += DAY / 2;
  fill(log, 3);
  log.flush();
  clock.now += DAY / 2 + 1;
  // In pieces, so that nobody waits.
  for (let i = 0; i < 5; i++) log.flush();
  const { first, fault } = verdict();
  assert.equal(fault, null);
  assert.equal(first, 502);
  assert.deepEqual(log.latest(2000).filter(({ event }) => event === "alias-added").length, 3);
  assert.match(log.latest(1, undefined, "log-pruned")[0]?.facts ?? "", /"through":501/);
  assert.match(verdict({ seq: 2, hash: head.hash }).fault?.message ?? "none", /^Entry 2 has been pruned/);
});

test("what is repeated within a minute is counted, by kind", (t) => {
  const { clock, log } = newLog(t);
  const told = () => log.latest(10, undefined, "login-refused").map(({ facts }) => facts);
  for (let i = 0; i < 3; i++) log.recordOften("login-refused", "192.0.2.1", { address: "192.0.2.1" });
  log.recordOften("login-refused", "192.0.2.2", { address: "192.0.2.2" });
  assert.deepEqual(told(), ['{"address":"192.0.2.2"}', '{"address":"192.0.2.1"}']);
  clock.minutes++;
  log.recordOften("login-refused", "192.0.2.1", { address: "192.0.2.1" });
  assert.equal(told()[0], '{"address":"192.0.2.1","repeated":2}');
});

test("two processes that write by turns make one chain", (t) => {
  const { path, clock, log, verdict } = newLog(t);
  const other = new AuditLog({ path, log: silentLog(), retention: () => DAY, now: () => clock.now });
  t.after(() => other.close());
  for (let i = 0; i < 20; i++) {
    for (const one of [log, other]) {
      fill(one, 1);
      one.flush();
    }
  }
  const { fault, entries } = verdict();
  assert.equal(fault, null);
  assert.equal(entries, 41);
});

test("entries wait while another process keeps the file, and those beyond what memory takes are counted", (t) => {
  const { path, log, verdict } = newLog(t);
  log.flush();
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  fill(log, 20_005);
  log.flush();
  assert.match(log.fault ?? "none", /locked/);
  other.exec("COMMIT");
  other.close();
  log.flush();
  assert.equal(log.fault, null);
  assert.equal(log.waiting, 0);
  const { fault, entries } = verdict();
  assert.equal(fault, null);
  assert.equal(entries, 1 + 20_000 + 1);
  assert.match(log.latest(1)[0]?.facts ?? "", /^\{"count":5\}$/);
});

test("texts that came from outside are cut", (t) => {
  const { log } = newLog(t);
  log.record("login-refused", { address: "x".repeat(100_000) });
  assert.equal(log.latest(1)[0]?.facts.length, '{"address":""}'.length + 200);
});
