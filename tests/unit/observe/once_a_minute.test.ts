import assert from "node:assert/strict";
import test from "node:test";
import { OnceAMinute } from "../../../src/observe/once_a_minute.ts";

/** A minute that passes when the test says so, and what was told. */
function observed() {
  const clock = { now: 1_000_000 };
  const noise = new OnceAMinute(() => clock.now);
  const told: string[] = [];
  return { clock, told, say: (kind: string) => noise.tell(kind, (repeated) => told.push(`${kind} ${repeated}`)) };
}

test("once a minute: the first of its kind is told at once", () => {
  const { told, say } = observed();
  say("a");
  assert.deepEqual(told, ["a 0"]);
});

test("once a minute: what follows within a minute is counted, and told as a number with the next", () => {
  const { clock, told, say } = observed();
  say("a");
  for (let i = 0; i < 5; i++) say("a");
  clock.now += 59_999;
  say("a");
  assert.deepEqual(told, ["a 0"]);
  clock.now += 1;
  say("a");
  assert.deepEqual(told, ["a 0", "a 6"]);
});

test("once a minute: the count begins anew with each that is told", () => {
  const { clock, told, say } = observed();
  for (let minute = 0; minute < 3; minute++) {
    for (let i = 0; i <= minute; i++) say("a");
    clock.now += 60_000;
  }
  assert.deepEqual(told, ["a 0", "a 0", "a 1"]);
});

test("once a minute: a minute is counted from the last that was told, not from the last that came", () => {
  const { clock, told, say } = observed();
  for (let second = 0; second <= 120; second++) {
    say("a");
    clock.now += 1000;
  }
  assert.deepEqual(told, ["a 0", "a 59", "a 59"]);
});

test("once a minute: kinds do not count for each other", () => {
  const { told, say } = observed();
  for (const kind of ["a", "b", "a", "b", "c"]) say(kind);
  assert.deepEqual(told, ["a 0", "b 0", "c 0"]);
});

test("once a minute: only so many kinds are remembered, and the oldest is forgotten first", () => {
  const { told, say } = observed();
  for (let i = 0; i < 1000; i++) say(`kind ${i}`);
  told.length = 0;
  for (let i = 0; i < 1000; i++) say(`kind ${i}`);
  assert.deepEqual(told, [], "a thousand are remembered");
  say("one more");
  say("kind 1");
  assert.deepEqual(told, ["one more 0"]);
  say("kind 0");
  assert.deepEqual(told, ["one more 0", "kind 0 0"], "forgotten");
});

test("once a minute: a kind that was told lately is not the oldest", () => {
  const { clock, told, say } = observed();
  for (let i = 0; i < 1000; i++) say(`kind ${i}`);
  clock.now += 60_000;
  say("kind 0");
  say("one more");
  told.length = 0;
  say("kind 0");
  assert.deepEqual(told, [], "still remembered");
  say("kind 1");
  assert.deepEqual(told, ["kind 1 0"]);
});

test("once a minute: however many kinds there are, memory stays bounded", () => {
  const { told, say } = observed();
  // Whoever came more than a thousand kinds ago is forgotten: nothing grows with the number of kinds.
  for (let i = 0; i < 100_000; i++) say(`kind ${i}`);
  told.length = 0;
  for (let i = 0; i < 100_000 - 1000; i += 997) say(`kind ${i}`);
  assert.equal(told.length, Math.ceil((100_000 - 1000) / 997));
});

test("once a minute: of very many sources the first fifty are told of one by one, the others together", () => {
  const clock = { now: 0 };
  const noise = new OnceAMinute(() => clock.now);
  let told: string[] = [];
  const say = (source: string) => noise.tellOf("a", source, (repeated) => told.push(`${source} ${repeated}`));
  for (let i = 0; i < 5000; i++) say(`${i % 2500}`);
  assert.equal(told.length, 51);
  assert.equal(told[50], "50 0");
  clock.now += 60_000;
  told = [];
  say("49");
  for (let i = 50; i < 200; i++) say(`${i}`);
  assert.equal(told[0], "49 1");
  assert.equal(told.at(-1), "99 4899");
});
