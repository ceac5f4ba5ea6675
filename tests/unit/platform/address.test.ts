import assert from "node:assert/strict";
import test from "node:test";
import { plainAddress } from "../../../src/platform/address.ts";

const addresses: [seen: string | undefined, plain: string][] = [
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8::1", "2001:db8::1"],
  ["::1", "::1"],
  ["::ffff:1", "::ffff:1"],
  [undefined, "unknown"],
];

for (const [seen, plain] of addresses) {
  test(`plain address: ${seen} is ${plain}`, () => assert.equal(plainAddress(seen), plain));
}
