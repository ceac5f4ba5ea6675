import assert from "node:assert/strict";
import test from "node:test";
import { addressesOf, isReachable, longestWait } from "../../../src/client/outage.ts";
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

test("outage: a connection goes on as long as this machine has the address it goes out from", () => {
  const own = ["10.0.0.1", "fe80::1", "::1"];
  for (const address of ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "127.0.0.1", "127.0.0.9", "::1"]) {
    assert.equal(isReachable(address, own), true, address);
  }
  for (const address of ["10.0.0.2", "::ffff:10.0.0.2", undefined]) assert.equal(isReachable(address, own), false);
  assert.ok(addressesOf().includes("127.0.0.1"));
});
