import assert from "node:assert/strict";
import test from "node:test";
import { MODERN } from "../../../src/config/ssh_algorithms.ts";
import { guessFollows, kexInitList } from "../../../src/tunnel/kex_init.ts";
import { missingAlgorithm } from "../../../src/tunnel/missing_algorithm.ts";

/** A KEXINIT with these lists, none by default (RFC 4253, section 7.1). */
function kexInit(lists: Record<number, string>, guess = 0): Buffer {
  const parts = [Buffer.from([20]), Buffer.alloc(16, 9)];
  for (let index = 0; index < 10; index++) {
    const names = Buffer.from(lists[index] ?? "", "latin1");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(names.length);
    parts.push(length, names);
  }
  return Buffer.concat([...parts, Buffer.from([guess, 0, 0, 0, 0])]);
}

test("no algorithm in common: both lists are named, and the setting", () => {
  const theirs = kexInit({ 4: "hmac-sha1,hmac-sha2-256" });
  assert.equal(
    missingAlgorithm("Handshake failed: no matching C->S MAC", theirs, MODERN),
    "no MAC in common: the client has hmac-sha1, hmac-sha2-256; " +
      "[server.ssh] macs has hmac-sha2-256-etm@openssh.com, hmac-sha2-512-etm@openssh.com",
  );
  const keyExchange = missingAlgorithm("no matching key exchange algorithm", kexInit({ 0: "x\u001b[2J" }), MODERN);
  assert.match(
    keyExchange as string,
    /^no key exchange in common: the client has x\?\[2J; \[server\.ssh\] kexAlgorithms/,
  );
  assert.match(missingAlgorithm("no matching host key format", kexInit({}), MODERN) as string, /the client has none;/);
});

test("no algorithm in common: an error about something else is left alone", () => {
  assert.equal(missingAlgorithm("Bad packet length", kexInit({}), MODERN), undefined);
});

test("no algorithm in common: a list without end is cut, and one that breaks off is no fault", () => {
  const theirs = kexInit({ 2: "aes,".repeat(5000) });
  assert.ok((missingAlgorithm("no matching C->S cipher", theirs, MODERN) as string).length < 700);
  const whole = kexInit({ 0: "a,b", 5: "c" }, 1);
  for (let length = 1; length < whole.length; length++) {
    const cut = whole.subarray(0, length);
    assert.ok(kexInitList(cut, 0).length <= 2 && kexInitList(cut, 5).length <= 1);
    // The guess is the fifth byte from behind.
    assert.equal(guessFollows(cut), length > whole.length - 5);
  }
});

test("a KEXINIT says whether a guess follows it", () => {
  assert.equal(guessFollows(kexInit({ 0: "a", 9: "b" }, 1)), true);
  assert.equal(guessFollows(kexInit({ 0: "a", 9: "b" })), false);
});
