import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import pino from "pino";
import { Disconnects } from "../../../src/server/disconnects.ts";
import { SmallDisk } from "../../world/small_disk.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";
import type { LogLine, Scope } from "../../world/world.ts";

const KEY = "SHA256:a";

function open(scope: Scope, { path = join(temporaryFolder(scope), "disconnects.db"), kept = 1000 } = {}) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const log: LogLine[] = [];
  const logger = pino({ base: null, formatters: { level: (label) => ({ level: label }) } }, {
    write: (text: string) => void log.push(JSON.parse(text) as LogLine),
  });
  const disconnects = new Disconnects({ path, log: logger, now: () => clock.now, kept });
  scope.after(() => disconnects.close());
  return { disconnects, path, clock, log };
}

/** As long as the names of tunnels are. */
const name = (number: number) => number.toString(16).padStart(16, "0");

const seen = (number: number, more: object = {}) => ({
  ...{ tunnel: name(number), ids: ["1001"], address: "192.0.2.7", lasted: 1000, cause: "the client stopped" },
  ...more,
});

const told = (number: number, more: object = {}) => ({
  ...{ tunnel: name(number), ids: ["1001"], at: 42, lasted: 900, cause: "the connection was reset (ECONNRESET)" },
  ...more,
});

const tunnels = (disconnects: Disconnects) => disconnects.of(KEY, "1001").map(({ tunnel }) => parseInt(tunnel, 16));

/** A record that is asked step by step; `restarted`: closed and opened again before each of them. */
function inSteps(scope: Scope, restarted: boolean) {
  let current = open(scope);
  return async (work: (disconnects: Disconnects) => void) => {
    if (restarted) {
      await current.disconnects.close();
      current = open(scope, { path: current.path });
    }
    work(current.disconnects);
    return current.disconnects;
  };
}

// Each once while all is in memory, and once with a restart between any two.
for (const restarted of [false, true]) {
  const how = restarted ? "over restarts" : "in memory";

  test(`disconnects: both sides' reports of a tunnel are one, whichever comes first, ${how}`, async (t) => {
    for (const order of ["server first", "client first"]) {
      const step = inSteps(t, restarted);
      const bySide = [
        (disconnects: Disconnects) => disconnects.add(KEY, seen(1)),
        (disconnects: Disconnects) => disconnects.told(KEY, told(1)),
      ];
      if (order === "client first") bySide.reverse();
      for (const work of bySide) await step(work);
      const all = (await step(() => {})).of(KEY, "1001");
      const { at: _, ...facts } = all[0] ?? {};
      assert.deepEqual([all.length, facts], [1, {
        ...{ tunnel: name(1), ids: ["1001"], address: "192.0.2.7", lasted: 1000 },
        ...{ cause: "the client stopped", code: "stopped", clientAt: 42 },
        ...{ clientCause: "the connection was reset (ECONNRESET)", clientCode: "reset" },
      }], order);
    }
  });

  test(`disconnects: what the server did not see is there with the client's cause alone, ${how}`, async (t) => {
    const step = inSteps(t, restarted);
    await step((disconnects) => disconnects.told(KEY, told(1)));
    await step((disconnects) => disconnects.told(KEY, told(1, { cause: "another story" })));
    const [only, ...others] = (await step(() => {})).of(KEY, "1001");
    assert.deepEqual([only?.cause, only?.code, only?.address, only?.lasted], [null, null, null, 900]);
    assert.deepEqual([only?.clientCause, others], ["the connection was reset (ECONNRESET)", []]);
  });

  test(`disconnects: a key cannot tell of another key's tunnel, ${how}`, async (t) => {
    const step = inSteps(t, restarted);
    await step((disconnects) => disconnects.add(KEY, seen(1)));
    const disconnects = await step((all) => all.told("SHA256:b", told(1, { ids: ["1002"] })));
    assert.equal(disconnects.of(KEY, "1001")[0]?.clientCause, null);
    assert.deepEqual(disconnects.of("SHA256:b", "1002").map(({ cause, ids }) => [cause, ids]), [[null, ["1002"]]]);
  });

  test(`disconnects: the last 50 of each client are kept, in the order in which they were learnt, ${how}`, async (t) => {
    const step = inSteps(t, restarted);
    await step((disconnects) => {
      for (let number = 1; number <= 40; number++) disconnects.add(KEY, seen(number));
      disconnects.add("SHA256:b", seen(1, { ids: ["1002"] }));
    });
    await step((disconnects) => {
      for (let number = 41; number <= 60; number++) disconnects.add(KEY, seen(number));
    });
    // A client's clock orders nothing.
    const disconnects = await step((all) => all.told(KEY, told(61, { at: 1 })));
    assert.deepEqual(tunnels(disconnects), Array.from({ length: 50 }, (_, index) => 61 - index));
    assert.equal(disconnects.of("SHA256:b", "1002").length, 1);
    assert.deepEqual(disconnects.latest(2).map(({ tunnel }) => tunnel), [name(61), name(60)]);
    await disconnects.flush();
    assert.equal(disconnects.latest(1000).length, 51);
  });

  test(`disconnects: a registration that is gone is forgotten, and what comes after it is not, ${how}`, async (t) => {
    const step = inSteps(t, restarted);
    await step((disconnects) => {
      disconnects.add(KEY, seen(1));
      disconnects.add(KEY, seen(2, { ids: ["1001", "1002"] }));
    });
    await step((disconnects) => disconnects.forget(KEY, "1001"));
    const disconnects = await step((all) => all.add(KEY, seen(3)));
    assert.deepEqual(tunnels(disconnects), [3]);
    assert.deepEqual(disconnects.of(KEY, "1002").map(({ ids }) => ids), [["1002"]]);
    assert.deepEqual(disconnects.latest(10).map(({ tunnel }) => tunnel), [name(3), name(2)]);
  });
}

test("disconnects: there is a bound for all clients together", async (t) => {
  const { disconnects } = open(t, { kept: 250 });
  for (let number = 1; number <= 500; number++) disconnects.add(`SHA256:${number}`, seen(number));
  await disconnects.flush();
  const left = disconnects.latest(1000).length;
  assert.ok(left <= 250 && left > 100, `${left}`);
  assert.equal(disconnects.latest(1)[0]?.tunnel, name(500));
});

test("disconnects: a client that tells of many takes no room of the others", async (t) => {
  const { disconnects } = open(t);
  disconnects.add(KEY, seen(1));
  for (let number = 1; number <= 30_000; number++) {
    disconnects.told("SHA256:b", told(number, { ids: ["1002"] }));
  }
  assert.equal(disconnects.of(KEY, "1001").length, 1);
  assert.equal(disconnects.of("SHA256:b", "1002").length, 50);
  await disconnects.flush();
  assert.equal(disconnects.latest(1000).length, 51);
});

test("disconnects: 10,000 clients that go at once are written, and the event loop is held for no longer than others bear", async (t) => {
  const { disconnects, path } = open(t, { kept: 200_000 });
  let longest = 0;
  let last = performance.now();
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  const begun = performance.now();
  for (let number = 1; number <= 10_000; number++) {
    disconnects.add(`SHA256:${number}`, seen(number, { ids: [String(number)] }));
  }
  const added = performance.now() - begun;
  last = performance.now();
  await disconnects.flush();
  clearInterval(watch);
  const written = performance.now() - begun;
  const figures =
    `added in ${added.toFixed()} ms, written in ${written.toFixed()} ms, held for ${longest.toFixed()} ms`;
  console.log(figures);
  assert.ok(longest < 250, figures);
  await disconnects.close();
  assert.equal(open(t, { path }).disconnects.latest(20_000).length, 10_000);
});

test("disconnects: nobody else can read the file", { skip: process.platform === "win32" }, async (t) => {
  const { disconnects, path } = open(t);
  disconnects.add(KEY, seen(1));
  await disconnects.flush();
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("disconnects: a damaged file is moved aside with a sentence at the start, and a new one begins", async (t) => {
  const path = join(temporaryFolder(t), "disconnects.db");
  writeFileSync(path, "not a database ".repeat(1000));
  const { disconnects, log } = open(t, { path });
  const line = log.find(({ code }) => code === "disconnects-damaged");
  assert.match(line?.msg ?? "", /^The record of disconnects was damaged .* and a new one begins$/);
  assert.match(readFileSync(line?.["movedTo"] as string, "utf8"), /^not a database/);
  disconnects.add(KEY, seen(1));
  await disconnects.close();
  assert.deepEqual(tunnels(open(t, { path }).disconnects), [1]);
});

test("disconnects: damage that shows only while it is used loses what is past, and nothing else", async (t) => {
  const before = open(t);
  for (let number = 1; number <= 400; number++) before.disconnects.add(`SHA256:${number}`, seen(number));
  await before.disconnects.close();
  const bytes = readFileSync(before.path);
  bytes.fill(0xff, 4096);
  writeFileSync(before.path, bytes);
  const { disconnects, log } = open(t, { path: before.path });
  disconnects.add(KEY, seen(1));
  await disconnects.flush();
  assert.deepEqual(tunnels(disconnects), [1]);
  assert.equal(disconnects.fault, null);
  assert.ok(log.some(({ code }) => code === "disconnects-damaged"));
});

test("disconnects: while the file is locked memory answers, and all is written afterwards", async (t) => {
  const { disconnects, path, log } = open(t);
  disconnects.add(KEY, seen(1));
  await disconnects.flush();
  const other = new DatabaseSync(path);
  other.exec("BEGIN EXCLUSIVE");
  disconnects.add(KEY, seen(2));
  disconnects.told(KEY, told(1));
  await disconnects.flush();
  assert.match(disconnects.fault ?? "", /locked/);
  assert.ok(tunnels(disconnects).includes(2));
  assert.equal(log.filter(({ code }) => code === "disconnects-unusable").length, 1, "one warning a minute");
  other.exec("COMMIT");
  other.close();
  await disconnects.close();
  const [second, first] = open(t, { path }).disconnects.of(KEY, "1001");
  assert.deepEqual([second?.tunnel, first?.clientCode], [name(2), "reset"]);
});

const noSmallDisk = process.platform === "linux" ? false : "a small disk is made with tmpfs, which is Linux's";

test(
  "disconnects: on a full disk memory answers, and all is written when there is room again",
  { skip: noSmallDisk },
  async (t) => {
    const disk = SmallDisk.mount(t);
    if (disk === undefined) return t.skip("only root may mount a small disk");
    const { disconnects, path } = open(t, { path: join(disk.folder, "disconnects.db") });
    disk.fill();
    let number = 0;
    // SQLite has some room in its own files; when that is used up it needs more.
    while (disconnects.fault === null && number < 5000) {
      disconnects.add(`SHA256:${++number}`, seen(number));
      await disconnects.flush();
    }
    assert.match(disconnects.fault ?? "", /full|I\/O/);
    disconnects.add(KEY, seen(1));
    assert.deepEqual([tunnels(disconnects), disconnects.latest(9999).length], [[1], number + 1]);
    disk.empty();
    await disconnects.flush();
    assert.equal(disconnects.fault, null);
    await disconnects.close();
    assert.equal(open(t, { path }).disconnects.latest(9999).length, number + 1);
  },
);

test("disconnects: without a folder for the file there is memory, within its bounds", async (t) => {
  const folder = join(temporaryFolder(t), "later");
  const { disconnects } = open(t, { path: join(folder, "disconnects.db") });
  for (let number = 1; number <= 25_000; number++) disconnects.add(`SHA256:${number}`, seen(number));
  await disconnects.flush();
  assert.equal(disconnects.latest(100_000).length, 20_000);
  mkdirSync(folder);
  await disconnects.flush();
  assert.equal(disconnects.fault, null);
});

test("disconnects: what the server saw is counted by code, what it was told is not", (t) => {
  const { disconnects } = open(t);
  disconnects.add(KEY, seen(1));
  disconnects.add(KEY, seen(2, { cause: "not logged in within 30 s" }));
  disconnects.told(KEY, told(1));
  const counted = [...disconnects.counts].filter(([, count]) => count > 0);
  assert.deepEqual(counted, [["stopped", 1], ["other", 1]]);
});
