import assert from "node:assert/strict";
import test from "node:test";
import { Place, Room } from "../../../src/server/room.ts";

/** Lets connections have their turn. */
const aTurn = async () => {
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
};

/** A room and what was dropped from it, by name. */
function roomFor(max: number, maxPerSource = Infinity) {
  const room = new Room();
  const dropped: string[] = [];
  const enter = (source: string, name: string, isIdle = () => true) => {
    if (!room.makeFor(source, max, maxPerSource)) return undefined;
    const place = new Place(source, isIdle, () => dropped.push(name));
    room.add(place);
    return place;
  };
  return { room, dropped, enter };
}

test("a room that is full takes no more, until somebody leaves", () => {
  const { room, enter } = roomFor(1);
  const place = enter("a", "first");
  assert.equal(enter("b", "second"), undefined);
  place?.leave();
  place?.leave();
  assert.equal(room.size, 0);
  assert.ok(enter("b", "second"));
});

test("a flood of one source gives way to others, the oldest first", async () => {
  const { dropped, enter, room } = roomFor(4);
  for (let i = 0; i < 4; i++) enter("flood", `flood ${i}`);
  assert.equal(enter("a", "too soon"), undefined);
  await aTurn();
  assert.equal(enter("flood", "more"), undefined);
  assert.ok(enter("a", "a"));
  assert.ok(enter("b", "b"));
  assert.deepEqual(dropped, ["flood 0", "flood 1"]);
  assert.equal(room.size, 4);
});

test("who has shown something keeps its place, however many its source has", async () => {
  const { dropped, enter } = roomFor(5);
  for (let i = 0; i < 3; i++) enter("busy", `busy ${i}`, () => false);
  enter("busy", "silent 0");
  enter("busy", "silent 1");
  await aTurn();
  assert.ok(enter("a", "a"));
  assert.deepEqual(dropped, ["silent 0"]);
  assert.equal(enter("b", "b"), undefined);
});

test("what a source has that has shown something does not count against its next", async () => {
  const { dropped, enter } = roomFor(6);
  for (let i = 0; i < 3; i++) enter("good", `good ${i}`, () => false);
  for (let i = 0; i < 3; i++) enter("flood", `flood ${i}`);
  await aTurn();
  assert.ok(enter("good", "another"));
  assert.deepEqual(dropped, ["flood 0"]);
});

test("a source that has as many as it may have takes no place of others", () => {
  const { dropped, enter } = roomFor(10, 2);
  enter("a", "a");
  enter("b", "b 0");
  enter("b", "b 1");
  assert.equal(enter("b", "b 2"), undefined);
  assert.deepEqual(dropped, []);
});

test("a place in two rooms is left in both", () => {
  const [one, other] = [new Room(), new Room()];
  const place = new Place("a", () => true, () => {});
  one.add(place);
  other.add(place);
  assert.equal(one.makeFor("b", 1, 1), false);
  place.drop();
  assert.deepEqual([one.size, other.size, one.countOf("a"), other.countOf("a")], [0, 0, 0, 0]);
});
