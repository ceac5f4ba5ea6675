import assert from "node:assert/strict";
import test from "node:test";
import { type WakeUp, WakeUpWatch } from "../../../src/client/wake_up.ts";

/** A machine whose clocks and addresses do as they are told. */
function machine(t: test.TestContext) {
  const told: WakeUp[] = [];
  const now = { monotonic: 1000, wall: 1_700_000_000_000, addresses: "10.0.0.1" };
  const watch = new WakeUpWatch((what) => told.push(what), {
    monotonic: () => now.monotonic,
    wall: () => now.wall,
    addresses: () => now.addresses,
  });
  t.after(() => watch.stop());
  return {
    told,
    now,
    /** Lets both clocks go on and looks. */
    pass(monotonic: number, wall = monotonic) {
      now.monotonic += monotonic;
      now.wall += wall;
      watch.look();
    },
  };
}

test("wake-up: an ordinary day says nothing", (t) => {
  const { told, pass } = machine(t);
  for (let i = 0; i < 100; i++) pass(1000 + (i % 7) * 100, 1000 + (i % 5) * 100);
  assert.deepEqual(told, []);
});

for (const hours of [1, -1]) {
  test(`wake-up: a clock that is set by ${hours} h is noticed once`, (t) => {
    const { told, pass } = machine(t);
    pass(1000, 1000 + hours * 3_600_000);
    for (let i = 0; i < 10; i++) pass(1000);
    assert.deepEqual(told, ["clock-jumped"]);
  });
}

test("wake-up: a process that stood still for 15 s notices, and so does one whose machine slept with one clock or with both", (t) => {
  const { told, pass } = machine(t);
  pass(16_000);
  pass(1000, 7_200_000);
  pass(7_200_000);
  pass(1000);
  assert.deepEqual(told, ["stood-still", "clock-jumped", "stood-still"]);
});

test("wake-up: addresses that change are noticed, each time", (t) => {
  const { told, now, pass } = machine(t);
  now.addresses = "";
  pass(1000);
  now.addresses = "192.168.1.7";
  pass(1000);
  pass(1000);
  assert.deepEqual(told, ["addresses-changed", "addresses-changed"]);
});
