import assert from "node:assert/strict";
import test from "node:test";
import { longestWait, shortestWait } from "../../../src/client/outage.ts";
import { PetitError } from "../../../src/error.ts";

const refused = new PetitError("server-refused", "Nothing listens there");

test("outage: while nobody answers, a wait prolongs it by a twentieth, and by a second at least", () => {
  assert.deepEqual([0, 20_000, 60_000, 600_000].map((outage) => longestWait(refused, outage)), [
    1000,
    1000,
    3000,
    30_000,
  ]);
});

test("outage: a server that is there and refuses, or whose tunnels do not last, is left in peace", () => {
  for (const error of [new PetitError("login-refused", "No"), new Error("a fault"), undefined]) {
    assert.equal(longestWait(error, 60_000), Infinity);
  }
});

test("outage: where an upgrade is due, nobody is asked every second", () => {
  assert.equal(shortestWait(new PetitError("version-refused", "Upgrade the server")), 60_000);
  for (const error of [refused, new Error("a fault"), undefined]) assert.equal(shortestWait(error), 0);
});
