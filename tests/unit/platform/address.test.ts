import assert from "node:assert/strict";
import test from "node:test";
import { canonicalAddress, plainAddress } from "../../../src/platform/address.ts";

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

const written: [text: string, canonical: string | undefined][] = [
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["::FFFF:c000:207", "192.0.2.7"],
  ["0:0:0:0:0:ffff:192.0.2.7", "192.0.2.7"],
  ["2001:DB8:0:0::7", "2001:db8::7"],
  ["2001:db8:0000:0000:0000:0000:0000:0007", "2001:db8::7"],
  ["fe80::1%eth0", undefined],
  ["192.0.2", undefined],
  ["192.0.2.07", undefined],
  ["0xc0000207", undefined],
  ["3221225991", undefined],
  ["192.0.2.7/8", undefined],
  ["unknown", undefined],
  ["", undefined],
];

for (const [text, canonical] of written) {
  test(`canonical address: ${text} is ${canonical}`, () => assert.equal(canonicalAddress(text), canonical));
}
