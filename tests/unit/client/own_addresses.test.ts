import assert from "node:assert/strict";
import test from "node:test";
import { addressesOf, isReachable } from "../../../src/client/own_addresses.ts";

test("own addresses: a connection goes on as long as this machine has the address it goes out from", () => {
  const own = ["10.0.0.1", "fe80::1", "::1"];
  for (const address of ["10.0.0.1", "::ffff:10.0.0.1", "fe80::1%eth0", "127.0.0.1", "127.0.0.9", "::1"]) {
    assert.equal(isReachable(address, own), true, address);
  }
  for (const address of ["10.0.0.2", "::ffff:10.0.0.2", undefined]) assert.equal(isReachable(address, own), false);
  assert.ok(addressesOf().includes("127.0.0.1"));
  assert.ok(!addressesOf(false).includes("127.0.0.1"));
});
