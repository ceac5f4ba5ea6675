import assert from "node:assert/strict";
import test from "node:test";
import { LoginTurns } from "../../../src/server/login_turns.ts";

/** Turns whose clock the test moves, and the names of those that have begun. */
function turned() {
  const clock = { now: 1000, spacing: 50 };
  const begun: string[] = [];
  const gone = new Set<string>();
  let due: { readonly at: number; readonly call: () => void } | undefined;
  const later = (call: () => void, milliseconds: number) => {
    assert.equal(due, undefined, "one timer at a time");
    due = { at: clock.now + milliseconds, call };
  };
  const turns = new LoginTurns(() => clock.spacing, () => clock.now, later);
  const enter = (name: string) => turns.enter(() => begun.push(name), () => gone.has(name));
  const pass = (milliseconds: number) => {
    clock.now += milliseconds;
    if (due === undefined || due.at > clock.now) return;
    const { call } = due;
    due = undefined;
    call();
  };
  return { clock, begun, gone, turns, enter, pass };
}

test("logins begin one after the other, and the first at once", () => {
  const { begun, turns, enter, pass } = turned();
  for (const name of ["a", "b", "c"]) enter(name);
  assert.deepEqual(begun, ["a"]);
  assert.equal(turns.size, 2);
  pass(49);
  assert.deepEqual(begun, ["a"]);
  pass(1);
  assert.deepEqual(begun, ["a", "b"]);
  pass(50);
  assert.deepEqual(begun, ["a", "b", "c"]);
  pass(1000);
  enter("d");
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
});

test("who has left takes no turn", () => {
  const { begun, gone, enter, pass } = turned();
  for (const name of ["a", "b", "c"]) enter(name);
  gone.add("b");
  pass(50);
  assert.deepEqual(begun, ["a", "c"]);
});

test("a spacing that has become longer meanwhile holds for those who wait already", () => {
  const { clock, begun, enter, pass } = turned();
  clock.spacing = 3;
  for (const name of ["a", "b"]) enter(name);
  clock.spacing = 50;
  pass(3);
  assert.deepEqual(begun, ["a"]);
  pass(46);
  assert.deepEqual(begun, ["a"]);
  pass(1);
  assert.deepEqual(begun, ["a", "b"]);
});
