import assert from "node:assert/strict";
import test from "node:test";
import { addressList, type Peer } from "../../../src/server/forwarded_fields.ts";
import { realCaller } from "../../../src/server/real_caller.ts";

const proxies = addressList(["10.0.0.0/8", "fd00::/8"]);
const balancer: Peer = { address: "10.0.0.1", port: 1, secure: false, trusted: true, proxies };

function caller(name: string, ...values: string[]): string {
  return realCaller(balancer, values.map((value) => ({ name, lower: name.toLowerCase(), value })));
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
