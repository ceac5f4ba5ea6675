import assert from "node:assert/strict";
import test from "node:test";
import { addressList, type Peer } from "../../../src/server/forwarded_fields.ts";
import { provenCaller, realCaller } from "../../../src/server/real_caller.ts";

const proxies = addressList(["10.0.0.0/8", "fd00::/8"]);
const balancer: Peer = { address: "10.0.0.1", port: 1, secure: false, trusted: true, proxies };

const lines = (name: string, ...values: string[]) =>
  values.map((value) => ({ name, lower: name.toLowerCase(), value }));

function caller(name: string, ...values: string[]): string {
  return realCaller(balancer, lines(name, ...values));
}

test("real caller: what a caller that is no trusted proxy claims is not believed", () => {
  const fields = [{ name: "X-Forwarded-For", lower: "x-forwarded-for", value: "198.51.100.1" }];
  assert.equal(realCaller({ address: "192.0.2.1", port: 1, secure: false, trusted: false }, fields), "192.0.2.1");
});

test("real caller: a trusted proxy tells who called it", () => {
  assert.equal(caller("X-Forwarded-For", "192.0.2.7"), "192.0.2.7");
  assert.equal(caller("X-Forwarded-For", "2001:db8::7"), "2001:db8::7");
  assert.equal(caller("X-Forwarded-For", "::ffff:192.0.2.7"), "192.0.2.7");
});

test("real caller: a chain is believed from the right, up to the first that is not trusted", () => {
  assert.equal(caller("X-Forwarded-For", "1.2.3.4, 192.0.2.7, 10.1.1.1"), "192.0.2.7");
  assert.equal(caller("X-Forwarded-For", "1.2.3.4", "192.0.2.7, fd00::1"), "192.0.2.7", "over several lines too");
  assert.equal(caller("X-Forwarded-For", "10.9.9.9, 10.1.1.1"), "10.9.9.9", "all are trusted: the first of them");
});

test("real caller: ports are left out", () => {
  assert.equal(caller("X-Forwarded-For", "192.0.2.7:4711"), "192.0.2.7");
  assert.equal(caller("X-Forwarded-For", "[2001:db8::7]:4711"), "2001:db8::7");
});

test("real caller: what is no address ends the chain", () => {
  assert.equal(caller("X-Forwarded-For", "192.0.2.7, unknown, 10.1.1.1"), "10.1.1.1");
  assert.equal(caller("X-Forwarded-For", ""), "10.0.0.1");
  assert.equal(caller("X-Other", "192.0.2.7"), "10.0.0.1");
});

test("real caller: Forwarded is read where there is no X-Forwarded-For", () => {
  assert.equal(caller("Forwarded", "for=1.2.3.4;proto=http, For=192.0.2.7;host=a"), "192.0.2.7");
  assert.equal(caller("Forwarded", 'proto=https;for="[2001:db8::7]:4711"'), "2001:db8::7");
  assert.equal(caller("Forwarded", "for=_hidden"), "10.0.0.1");
});

/** What somebody who wants to pass a list of addresses may send through a proxy that adds 203.0.113.9, and what is believed. */
const claims: [what: string, fields: ReturnType<typeof lines>, proven: string][] = [
  ["the proxy adds to the caller's claim", lines("X-Forwarded-For", "10.0.0.5, 203.0.113.9"), "203.0.113.9"],
  ["the proxy adds a line of its own", lines("X-Forwarded-For", "10.0.0.5", "203.0.113.9"), "203.0.113.9"],
  ["the proxy replaces the claim", lines("X-Forwarded-For", "203.0.113.9"), "203.0.113.9"],
  ["an empty claim", lines("X-Forwarded-For", ", 203.0.113.9"), "203.0.113.9"],
  ["an empty line", lines("X-Forwarded-For", "", "203.0.113.9"), "203.0.113.9"],
  ["a claim of nonsense", lines("X-Forwarded-For", 'unknown, "10.0.0.5, 203.0.113.9'), "203.0.113.9"],
  [
    "a chain of claimed proxies",
    lines("X-Forwarded-For", "198.51.100.1, 10.0.0.5, 203.0.113.9, 10.1.1.1"),
    "203.0.113.9",
  ],
  ["a port behind the address", lines("X-Forwarded-For", "10.0.0.5:80, 203.0.113.9:4711"), "203.0.113.9"],
  ["IPv4 written as IPv6", lines("X-Forwarded-For", "10.0.0.5, ::ffff:cb00:7109"), "203.0.113.9"],
  ["a trusted proxy written as IPv6", lines("X-Forwarded-For", "203.0.113.9, ::ffff:a00:5"), "203.0.113.9"],
  ["IPv6 written at length", lines("X-Forwarded-For", "2001:DB8:0::0:7"), "2001:db8::7"],
  ["a zone", lines("X-Forwarded-For", "fd00::5%1"), "unknown"],
  ["a proxy that does not know", lines("X-Forwarded-For", "10.0.0.5, unknown"), "unknown"],
  ["a proxy that leaves an element empty", lines("X-Forwarded-For", "10.0.0.5, "), "unknown"],
  ["a proxy that passes on nothing but an empty field", lines("X-Forwarded-For", ""), "unknown"],
  ["a proxy that says nothing at all", [], "10.0.0.1"],
  ["Forwarded, the proxy adding to the claim", lines("Forwarded", "for=10.0.0.5, for=203.0.113.9"), "203.0.113.9"],
  ["Forwarded, a line of the proxy's own", lines("Forwarded", "for=10.0.0.5", "for=203.0.113.9"), "203.0.113.9"],
  [
    "a claim inside the host that the proxy repeats",
    lines("Forwarded", 'for=203.0.113.9;host="a,for=10.0.0.5"'),
    "203.0.113.9",
  ],
  [
    "a claim inside the host, behind an escaped quotation mark",
    lines("Forwarded", 'for=203.0.113.9;host="a\\",for=10.0.0.5;x=\\""'),
    "203.0.113.9",
  ],
  [
    "a quotation mark that swallows the proxy's element",
    lines("Forwarded", 'for=10.0.0.5;x=", for=203.0.113.9'),
    "unknown",
  ],
  ["a quotation mark on a line of its own", lines("Forwarded", 'for="', "for=203.0.113.9"), "203.0.113.9"],
  ["the same parameter twice", lines("Forwarded", "for=203.0.113.9;for=10.0.0.5"), "unknown"],
  ["a parameter in another case", lines("Forwarded", "For=203.0.113.9;FOR=10.0.0.5"), "unknown"],
  ["a name that ends like for", lines("Forwarded", "for=203.0.113.9;xfor=10.0.0.5"), "203.0.113.9"],
  ["an element without for", lines("Forwarded", "for=10.0.0.5, proto=http"), "unknown"],
  ["a hidden node", lines("Forwarded", "for=10.0.0.5, for=_hidden"), "unknown"],
  ["an unknown node", lines("Forwarded", 'for=10.0.0.5, for="unknown"'), "unknown"],
  ["Forwarded that speaks of the protocol alone", lines("Forwarded", "proto=https"), "10.0.0.1"],
  [
    "both fields, of one mind",
    [...lines("X-Forwarded-For", "10.0.0.5, 203.0.113.9"), ...lines("Forwarded", 'for="203.0.113.9:4711"')],
    "203.0.113.9",
  ],
  [
    "a claim in X-Forwarded-For, where the proxy writes Forwarded",
    [...lines("X-Forwarded-For", "10.0.0.5"), ...lines("Forwarded", "for=203.0.113.9")],
    "unknown",
  ],
  [
    "a claim in Forwarded, where the proxy writes X-Forwarded-For",
    [...lines("Forwarded", "for=10.0.0.5"), ...lines("X-Forwarded-For", "203.0.113.9")],
    "unknown",
  ],
  [
    "an empty X-Forwarded-For, where the proxy writes Forwarded",
    [...lines("X-Forwarded-For", ""), ...lines("Forwarded", "for=203.0.113.9")],
    "unknown",
  ],
  [
    "X-Forwarded-For beside a Forwarded that speaks of the protocol alone",
    [...lines("X-Forwarded-For", "203.0.113.9"), ...lines("Forwarded", "proto=https")],
    "203.0.113.9",
  ],
];

for (const [what, fields, proven] of claims) {
  test(`proven caller: ${what}`, () => assert.equal(provenCaller(balancer, fields), proven));
}

test("proven caller: what a caller that is no trusted proxy claims is not believed", () => {
  const peer: Peer = { address: "192.0.2.1", port: 1, secure: false, trusted: false };
  assert.equal(
    provenCaller(peer, [...lines("X-Forwarded-For", "10.0.0.5"), ...lines("Forwarded", "for=x")]),
    "192.0.2.1",
  );
});

test("proven caller: what is not proven is on no list of addresses", () => {
  const everybody = addressList(["0.0.0.0/0", "::/0"]);
  for (const family of ["ipv4", "ipv6"] as const) assert.equal(everybody.check("unknown", family), false);
});

test("real caller: records name X-Forwarded-For's where the two fields contradict each other", () => {
  const fields = [...lines("Forwarded", "for=10.0.0.5"), ...lines("X-Forwarded-For", "203.0.113.9")];
  assert.equal(realCaller(balancer, fields), "203.0.113.9");
});
