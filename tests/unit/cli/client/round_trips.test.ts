import assert from "node:assert/strict";
import test from "node:test";
import { roundTrips, roundTripsText } from "../../../../src/cli/client/round_trips.ts";

test("round trips: loss in percent, and the times as ping(8) has them", () => {
  const result = roundTrips(6, [1, 2, 3, 6]);
  assert.deepEqual(result, {
    ...{ sent: 6, answered: 4, loss: 33.3 },
    milliseconds: { min: 1, avg: 3, max: 6, mdev: 1.871 },
  });
  assert.equal(roundTripsText(result), "6 sent, 4 answered, 33.3% lost, min/avg/max/mdev 1.000/3.000/6.000/1.871 ms");
});

test("round trips: without an answer there are no times, and nothing sent is nothing lost", () => {
  assert.deepEqual(roundTrips(3, []), { sent: 3, answered: 0, loss: 100, milliseconds: null });
  assert.equal(roundTripsText(roundTrips(3, [])), "3 sent, 0 answered, 100% lost");
  assert.deepEqual(roundTrips(0, []), { sent: 0, answered: 0, loss: 0, milliseconds: null });
});

test("round trips: very many are no trouble", () => {
  const { milliseconds } = roundTrips(500_000, Array.from({ length: 500_000 }, (_, i) => i));
  assert.deepEqual([milliseconds?.min, milliseconds?.max], [0, 499_999]);
});
