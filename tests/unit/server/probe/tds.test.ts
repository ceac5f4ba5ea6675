import assert from "node:assert/strict";
import test from "node:test";
import { tds } from "../../../../src/server/probe/tds.ts";
import { dribbles, errorOf, found, leaves, says } from "./fixture.ts";

/** What SQL Server 2022 answers: version 16.0.4125 and encryption "not supported", among others. */
const ANSWER = Buffer.from(
  "0401002b0000010000001a00060100200001020021000103002200000400220001ff1000101d0000020000",
  "hex",
);

test("TDS probe: a pre-login answer with a version shows that it works", async () => {
  for (const service of [says(ANSWER), dribbles(ANSWER), leaves(ANSWER)]) {
    assert.equal(errorOf((await found(tds(), service)).finding), "well");
  }
});

test("TDS probe: what it sends is a pre-login message whose options are where it says", async () => {
  const { link } = await found(tds(), () => {});
  const sent = Buffer.from(link.data, "latin1");
  assert.deepEqual([sent[0], sent[1], sent.readUInt16BE(2)], [0x12, 1, sent.length]);
  const options = sent.subarray(8);
  assert.deepEqual([options[0], options.readUInt16BE(1), options.readUInt16BE(3)], [0, 11, 6]);
  assert.deepEqual([options[5], options.readUInt16BE(6), options.readUInt16BE(8)], [1, 17, 1]);
  assert.deepEqual([options[10], options[17], options.length], [0xff, 2, 18]);
});

test("TDS probe: an answer without a version, with a wrong length, or of another type is none", async () => {
  const changed = (at: number, value: number) => {
    const bytes = Buffer.from(ANSWER);
    bytes[at] = value;
    return bytes;
  };
  for (
    const bytes of [changed(8, 1), changed(3, 4), changed(2, 0xff), changed(0, 0x12), changed(1, 0), changed(10, 0xff)]
  ) {
    assert.match(errorOf((await found(tds(), says(bytes))).finding), /^service-unwell: It sent /);
  }
});
