import assert from "node:assert/strict";
import test from "node:test";
import { Deadlines, type Timed } from "../../../src/server/deadlines.ts";
import type { Scope } from "../../world/world.ts";

/** Something with a deadline that keeps when it was told. */
class Watched implements Timed {
  deadline: number;
  readonly told: number[] = [];
  onExpired: () => void = () => {};

  constructor(deadline: number) {
    this.deadline = deadline;
  }

  expired(): void {
    this.told.push(performance.now());
    this.onExpired();
  }
}

function deadlinesOf(scope: Scope, ...list: Watched[]): Deadlines {
  const deadlines = new Deadlines();
  for (const timed of list) {
    deadlines.add(timed);
    scope.after(() => deadlines.remove(timed));
  }
  return deadlines;
}

/** Settles when everything with a deadline has been looked at several times. */
function severalLooks(scope: Scope, deadlines: Deadlines): Promise<void> {
  const clock = new Watched(0);
  deadlines.add(clock);
  scope.after(() => deadlines.remove(clock));
  return new Promise((resolve) => {
    clock.onExpired = () => {
      if (clock.told.length === 3) resolve();
      else clock.deadline = 0;
    };
  });
}

test("deadlines: one that has passed is told once", async (t) => {
  const timed = new Watched(performance.now() - 1);
  await severalLooks(t, deadlinesOf(t, timed));
  assert.equal(timed.told.length, 1);
  assert.equal(timed.deadline, Infinity);
});

test("deadlines: one is not told before its time", async (t) => {
  const due = performance.now() + 150;
  const timed = new Watched(due);
  const told = new Promise<void>((resolve) => timed.onExpired = resolve);
  deadlinesOf(t, timed);
  await told;
  assert.ok((timed.told[0] as number) >= due);
});

test("deadlines: one that is put off, or is never, is not told", async (t) => {
  const [never, putOff] = [new Watched(Infinity), new Watched(0)];
  const deadlines = deadlinesOf(t, never, putOff);
  putOff.deadline = performance.now() + 60_000;
  await severalLooks(t, deadlines);
  assert.deepEqual([never.told, putOff.told], [[], []]);
});

test("deadlines: one that is set again when it is told is told again", async (t) => {
  const timed = new Watched(0);
  const twice = new Promise<void>((resolve) => {
    timed.onExpired = () => {
      if (timed.told.length === 1) timed.deadline = 0;
      else resolve();
    };
  });
  deadlinesOf(t, timed);
  await twice;
  assert.equal(timed.told.length, 2);
});

test("deadlines: whoever was removed is not told", async (t) => {
  const [removed, other] = [new Watched(0), new Watched(0)];
  const deadlines = deadlinesOf(t, removed, other);
  deadlines.remove(removed);
  await severalLooks(t, deadlines);
  assert.deepEqual([removed.told.length, other.told.length], [0, 1]);
});

test("deadlines: whoever removes itself or another when it is told leaves the rest in order", async (t) => {
  const [first, second, third] = [new Watched(0), new Watched(0), new Watched(0)];
  const deadlines = deadlinesOf(t, first, second, third);
  first.onExpired = () => {
    deadlines.remove(first);
    deadlines.remove(second);
  };
  await severalLooks(t, deadlines);
  assert.deepEqual([first, second, third].map(({ told }) => told.length), [1, 0, 1]);
});

test("deadlines: they go on after all were removed", async (t) => {
  const one = new Watched(0);
  const deadlines = deadlinesOf(t, one);
  deadlines.remove(one);
  const two = new Watched(0);
  deadlines.add(two);
  t.after(() => deadlines.remove(two));
  await severalLooks(t, deadlines);
  assert.deepEqual([one.told.length, two.told.length], [0, 1]);
});
