import assert from "node:assert/strict";
import test from "node:test";
import { parseFields } from "../../../src/http/fields.ts";
import { addressList, forwardedLines, type Peer } from "../../../src/server/forwarded_fields.ts";

const PEER: Peer = { address: "192.0.2.7", port: 50_000, secure: false, trusted: false };

const linesFor = (peer: Partial<Peer>, host: string, ...fields: string[]) =>
  forwardedLines({ ...PEER, ...peer }, host, parseFields(fields, 0)).split("\r\n");

test("forwarded fields: they name the caller, the protocol and the host", () => {
  assert.deepEqual(linesFor({}, "1001.example.com"), [
    "X-Forwarded-For: 192.0.2.7",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Host: 1001.example.com",
    'Forwarded: for=192.0.2.7;host="1001.example.com";proto=http',
    "",
  ]);
});

test("forwarded fields: a caller over TLS used https", () => {
  const lines = linesFor({ secure: true }, "x:8453");
  assert.equal(lines[1], "X-Forwarded-Proto: https");
  assert.equal(lines[3], 'Forwarded: for=192.0.2.7;host="x:8453";proto=https');
});

test("forwarded fields: an IPv6 address is in brackets and quotes where RFC 7239 wants them", () => {
  const lines = linesFor({ address: "2001:db8::1" }, "x");
  assert.equal(lines[0], "X-Forwarded-For: 2001:db8::1");
  assert.equal(lines[3], 'Forwarded: for="[2001:db8::1]";host="x";proto=http');
});

const CLAIMS = [
  "X-Forwarded-For: 10.9.9.9, 10.8.8.8",
  "X-Forwarded-Proto: https",
  "X-Forwarded-Host: shop.example",
  "Forwarded: for=10.9.9.9;proto=https",
];

test("forwarded fields: what a caller claims of itself is not repeated", () => {
  assert.deepEqual(linesFor({}, "x", ...CLAIMS), linesFor({}, "x"));
});

test("forwarded fields: what a load balancer of the operator says is believed and extended", () => {
  assert.deepEqual(linesFor({ trusted: true }, "x", ...CLAIMS), [
    "X-Forwarded-For: 10.9.9.9, 10.8.8.8, 192.0.2.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: shop.example",
    'Forwarded: for=10.9.9.9;proto=https, for=192.0.2.7;host="x";proto=http',
    "",
  ]);
});

test("forwarded fields: lists on several lines are joined before they are extended", () => {
  const lines = linesFor({ trusted: true }, "x", "X-Forwarded-For: a", "x-forwarded-for: b");
  assert.equal(lines[0], "X-Forwarded-For: a, b, 192.0.2.7");
});

test("forwarded fields: a Forwarded that breaks its grammar is not extended, since it would hide what is added", () => {
  for (const value of ['for="', "for=10.9.9.9;for=10.8.8.8", "for 10.9.9.9"]) {
    assert.equal(linesFor({ trusted: true }, "x", `Forwarded: ${value}`)[3], linesFor({}, "x")[3]);
  }
});

test("forwarded fields: of several protocols and hosts that of the nearest proxy counts", () => {
  const claimed = ["X-Forwarded-Proto: https", "X-Forwarded-Host: claimed"];
  const lines = linesFor({ trusted: true }, "x", ...claimed, "X-Forwarded-Proto: http", "X-Forwarded-Host: shop");
  assert.deepEqual(lines.slice(1, 3), ["X-Forwarded-Proto: http", "X-Forwarded-Host: shop"]);
});

test("forwarded fields: a load balancer that says nothing is the caller itself", () => {
  assert.deepEqual(linesFor({ trusted: true }, "x"), linesFor({}, "x"));
  assert.equal(linesFor({ trusted: true }, "x", "X-Forwarded-For:")[0], "X-Forwarded-For: 192.0.2.7");
});

const lists: [ranges: string[], address: string, family: "ipv4" | "ipv6", listed: boolean][] = [
  [["10.0.0.0/8"], "10.255.0.1", "ipv4", true],
  [["10.0.0.0/8"], "11.0.0.1", "ipv4", false],
  [["192.0.2.7"], "192.0.2.7", "ipv4", true],
  [["192.0.2.7"], "192.0.2.8", "ipv4", false],
  [["192.0.2.7/32"], "192.0.2.8", "ipv4", false],
  [["0.0.0.0/0"], "8.8.8.8", "ipv4", true],
  [["0.0.0.0/0"], "2001:db8::1", "ipv6", false],
  [["::1"], "::1", "ipv6", true],
  [["::1"], "::2", "ipv6", false],
  [["fd00::/8"], "fdff::1", "ipv6", true],
  [["fd00::/8"], "fe80::1", "ipv6", false],
  [["fd00::/8"], "10.0.0.1", "ipv4", false],
  [["10.0.0.0/8", "fd00::/8", "192.0.2.7"], "192.0.2.7", "ipv4", true],
  [[], "127.0.0.1", "ipv4", false],
];

for (const [ranges, address, family, listed] of lists) {
  test(`address list: ${address} is ${listed ? "" : "not "}in [${ranges}]`, () => {
    assert.equal(addressList(ranges).check(address, family), listed);
  });
}
