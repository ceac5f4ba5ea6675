import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import { readStrings, sshNumber, sshString, uint32 } from "../../../src/tunnel/ssh_strings.ts";

const hex = (bytes: Buffer) => bytes.toString("hex");

test("SSH strings: a length and the bytes, a text in UTF-8", () => {
  // RFC 4251, section 5.
  assert.equal(hex(sshString("testing")), "0000000774657374696e67");
  assert.equal(hex(sshString("é")), "00000002c3a9");
  assert.equal(hex(sshString(Buffer.from([0, 255]))), "0000000200ff");
  assert.equal(hex(sshString("")), "00000000");
  assert.equal(hex(uint32(699921578)), "29b7f4aa");
});

test("SSH strings: a number stays positive", () => {
  // RFC 4251, section 5.
  assert.equal(hex(sshNumber(Buffer.from("09a378f9b2e332a7", "hex"))), "0000000809a378f9b2e332a7");
  assert.equal(hex(sshNumber(Buffer.from("80", "hex"))), "000000020080");
  assert.equal(hex(sshNumber(Buffer.alloc(0))), "00000000");
});

test("SSH strings: what was written is read, and nothing else", () => {
  const two = Buffer.concat([sshString("one"), sshString("")]);
  assert.deepEqual(readStrings(two, 2)?.map(String), ["one", ""]);
  assert.deepEqual(readStrings(two, 9)?.map(String), ["one", ""]);
  assert.equal(readStrings(two, 1), undefined);
  assert.deepEqual(readStrings(Buffer.alloc(0), 1), []);
  for (const cut of [1, 3, 5, two.length - 1]) assert.equal(readStrings(two.subarray(0, cut), 2), undefined, `${cut}`);
  assert.equal(readStrings(Buffer.from("ffffffff00", "hex"), 2), undefined);
});
