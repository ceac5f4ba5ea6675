import assert from "node:assert/strict";
import test from "node:test";
import { FailureThrottle } from "../../../../src/server/access/failure_throttle.ts";

function throttleAt(start: number) {
  let now = start;
  return { throttle: new FailureThrottle(() => now), pass: (milliseconds: number) => now += milliseconds };
}

test("throttle: ten wrong passwords in a minute, then a wait that says how long it is", () => {
  const { throttle, pass } = throttleAt(5000);
  for (let count = 0; count < 10; count++) assert.equal(throttle.begin("192.0.2.1"), 0);
  assert.equal(throttle.begin("192.0.2.1"), 60);
  assert.equal(throttle.begin("192.0.2.2"), 0, "another address");
  pass(59_500);
  assert.equal(throttle.begin("192.0.2.1"), 1);
  pass(500);
  assert.equal(throttle.begin("192.0.2.1"), 0);
});

test("throttle: what was right does not count", () => {
  const { throttle } = throttleAt(0);
  for (let count = 0; count < 100; count++) {
    assert.equal(throttle.begin("192.0.2.1"), 0);
    throttle.takeBack("192.0.2.1");
  }
});

test("throttle: all addresses of one IPv6 network are one, however they are written", () => {
  const { throttle } = throttleAt(0);
  const same = ["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", "2001:db8:1:2:ffff::9"];
  for (let count = 0; count < 10; count++) assert.equal(throttle.begin(same[count % same.length] as string), 0);
  for (const address of same) assert.ok(throttle.begin(address) > 0, address);
  for (const address of ["2001:db8:1:3::1", "::1", "fe80::1"]) assert.equal(throttle.begin(address), 0, address);
});

test("throttle: many addresses take bounded memory, and the newest are those that are remembered", () => {
  const { throttle } = throttleAt(0);
  const address = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`;
  for (let count = 0; count < 10; count++) throttle.begin(address(0));
  assert.ok(throttle.begin(address(0)) > 0);
  for (let at = 1; at < 20_000; at++) throttle.begin(address(at));
  assert.ok(throttle.begin(address(0)) > 0);
  throttle.begin(address(20_000));
  assert.equal(throttle.begin(address(0)), 0, "what has been there the longest made room");
});
