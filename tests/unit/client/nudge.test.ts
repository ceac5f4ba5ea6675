import assert from "node:assert/strict";
import test from "node:test";
import { Nudge } from "../../../src/client/nudge.ts";
import { retryForEver } from "../../../src/client/retry.ts";

const never = new AbortController().signal;

test("nudge: it ends a wait", async () => {
  const nudge = new Nudge();
  const waiting = nudge.wait(Infinity, never);
  nudge.give();
  assert.equal(await waiting, true);
});

test("nudge: one that was given before ends the next wait at once, and no other", async () => {
  const nudge = new Nudge();
  nudge.give();
  nudge.give();
  assert.equal(await nudge.wait(Infinity, never), true);
  assert.equal(await nudge.wait(1, never), false);
});

test("nudge: a wait ends with its time, and when it is called off", async () => {
  const nudge = new Nudge();
  assert.equal(await nudge.wait(1, never), false);
  const controller = new AbortController();
  const waiting = nudge.wait(Infinity, controller.signal);
  controller.abort();
  assert.equal(await waiting, false);
  assert.equal(await nudge.wait(Infinity, controller.signal), false);
});

test("retry: a nudge ends a wait, and the waits begin anew with the short ones", async () => {
  const nudge = new Nudge();
  const controller = new AbortController();
  const waits: number[] = [];
  let attempts = 0;
  await retryForEver(() => Promise.reject(new Error(`attempt ${attempts++}`)), {
    delay: 1_000_000,
    delayMax: 16_000_000,
    livedAfter: Number.MAX_SAFE_INTEGER,
    signal: controller.signal,
    nudge,
    onWait(_error, milliseconds) {
      if (waits.push(milliseconds) === 5) controller.abort();
      else queueMicrotask(() => nudge.give());
    },
  });
  assert.equal(attempts, 5);
  for (const wait of waits) assert.ok(wait <= 1_000_000, `${wait}`);
});
