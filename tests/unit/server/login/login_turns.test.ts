import assert from "node:assert/strict";
import test from "node:test";
import { LoginTurns, type TurnState } from "../../../../src/server/login/login_turns.ts";

/** Turns whose clock the test moves, and the names of those that have begun. */
function turned() {
  const clock = { now: 1000, spacing: 50 };
  const begun: string[] = [];
  const states = new Map<string, TurnState>();
  let due: { readonly at: number; readonly call: () => void } | undefined;
  const later = (call: () => void, milliseconds: number) => {
    assert.equal(due, undefined, "one timer at a time");
    due = { at: clock.now + milliseconds, call };
  };
  const turns = new LoginTurns(() => clock.spacing, () => clock.now, later);
  const enter = (name: string) => turns.enter(() => begun.push(name), () => states.get(name) ?? "waits");
  const pass = (milliseconds: number) => {
    clock.now += milliseconds;
    if (due === undefined || due.at > clock.now) return;
    const { call } = due;
    due = undefined;
    call();
  };
  return { clock, begun, states, turns, enter, pass };
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
  const { begun, states, enter, pass } = turned();
  for (const name of ["a", "b", "c"]) enter(name);
  states.set("b", "over");
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

test("who is no stranger any more need not wait, and the others go on waiting in their order", () => {
  const { begun, states, turns, enter, pass } = turned();
  for (const name of ["a", "b", "c", "d", "e"]) enter(name);
  states.set("c", "free").set("d", "free").set("e", "over");
  turns.release();
  assert.deepEqual(begun, ["a", "c", "d"]);
  pass(50);
  assert.deepEqual(begun, ["a", "c", "d", "b"]);
  assert.equal(turns.size, 0);
});
