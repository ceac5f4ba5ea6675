import assert from "node:assert/strict";
import test from "node:test";
import { LogTail, type TailChunk } from "../../../src/observe/log_tail.ts";

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);

async function next(reader: AsyncIterableIterator<TailChunk>): Promise<TailChunk> {
  const { value, done } = await reader.next();
  assert.equal(done, false);
  return value as TailChunk;
}

test("log tail: the last lines are remembered, oldest first", () => {
  const tail = new LogTail();
  for (const line of numbered(0, 1500)) tail.push(line);
  assert.deepEqual(tail.last(), numbered(500, 1500));
  assert.deepEqual(tail.last(2), ["line 1498", "line 1499"]);
  assert.deepEqual(tail.last(0), []);
  assert.equal(tail.total, 1500);
});

test("log tail: long lines count by their length", () => {
  const tail = new LogTail();
  for (let n = 0; n < 20; n++) tail.push(`${n} `.padEnd(100 * 1024, "x"));
  assert.equal(tail.last().length, 10);
  tail.push("x".repeat(2 * 1024 * 1024));
  assert.equal(tail.last().length, 1);
});

test("log tail: a reader gets the last lines and then each new one", async () => {
  const tail = new LogTail();
  for (const line of numbered(0, 10)) tail.push(line);
  const stop = new AbortController();
  const reader = tail.follow({ last: 2, signal: stop.signal });
  assert.deepEqual(await next(reader), { lines: numbered(8, 10), missed: 0 });
  const waiting = next(reader);
  tail.push("line 10");
  assert.deepEqual(await waiting, { lines: ["line 10"], missed: 0 });
  stop.abort();
  assert.equal((await reader.next()).done, true);
});

test("log tail: what comes between the call and the first reading is not missed", async () => {
  const tail = new LogTail();
  const reader = tail.follow({ signal: new AbortController().signal });
  tail.push("early");
  assert.deepEqual(await next(reader), { lines: ["early"], missed: 0 });
});

test("log tail: a slow reader loses the oldest lines and is told how many; a quick one loses none", async () => {
  const tail = new LogTail();
  const { signal } = new AbortController();
  const [slow, quick] = [tail.follow({ signal }), tail.follow({ signal })];
  for (let from = 0; from < 5000; from += 500) {
    for (const line of numbered(from, from + 500)) tail.push(line);
    assert.deepEqual(await next(quick), { lines: numbered(from, from + 500), missed: 0 });
  }
  assert.deepEqual(await next(slow), { lines: numbered(4000, 5000), missed: 4000 });
  tail.push("after");
  assert.deepEqual(await next(slow), { lines: ["after"], missed: 0 });
});

test("log tail: a reader that is aborted while it waits, or was before, comes to its end", async () => {
  const tail = new LogTail();
  const stop = new AbortController();
  const reader = tail.follow({ signal: stop.signal });
  const waiting = reader.next();
  stop.abort();
  assert.equal((await waiting).done, true);
  tail.push("late");
  assert.equal((await tail.follow({ last: 5, signal: stop.signal }).next()).done, true);
});
