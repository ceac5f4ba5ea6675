import assert from "node:assert/strict";
import test from "node:test";
import { encodeMessage, MessageDecoder } from "../../../src/tunnel/message_stream.ts";

const MESSAGES = [{ type: "ping1" }, { type: "error", error: "Übel 😀\n\u0003" }, { list: [1, null, true] }];
const BYTES = Buffer.concat(MESSAGES.map(encodeMessage));
const INVALID = { name: "PetitError", code: "message-invalid" };

test("messages: each is JSON and a byte 3 behind it", () => {
  assert.equal(encodeMessage({ type: "ping1" }).toString("latin1"), '{"type":"ping1"}\x03');
});

test("messages: several in one read are taken apart", () => {
  assert.deepEqual(new MessageDecoder().take(BYTES), MESSAGES);
});

test("messages: they are the same in every two and three slices", () => {
  for (let one = 0; one <= BYTES.length; one++) {
    for (let two = one; two <= BYTES.length; two++) {
      const decoder = new MessageDecoder();
      const slices = [BYTES.subarray(0, one), BYTES.subarray(one, two), BYTES.subarray(two)];
      assert.deepEqual(slices.flatMap((slice) => decoder.take(slice)), MESSAGES, `cut at ${one} and ${two}`);
    }
  }
});

test("messages: they are the same byte by byte, each as soon as its last byte is there", () => {
  const decoder = new MessageDecoder();
  const ends: number[] = [];
  const messages: unknown[] = [];
  for (let at = 0; at < BYTES.length; at++) {
    const found = decoder.take(BYTES.subarray(at, at + 1));
    if (found.length > 0) ends.push(at);
    messages.push(...found);
  }
  assert.deepEqual(messages, MESSAGES);
  assert.deepEqual(ends, [...BYTES.keys()].filter((at) => BYTES[at] === 3));
});

test("messages: a decoder keeps its own copy of bytes whose buffer is used again", () => {
  const decoder = new MessageDecoder();
  const buffer = Buffer.from('{"a":');
  decoder.take(buffer);
  buffer.fill("x");
  assert.deepEqual(decoder.take(Buffer.from("1}\x03")), [{ a: 1 }]);
});

for (const text of ["not json\x03", "\x03", '{"a":1\x03', "undefined\x03", '{"type":"ping1"}{"type":"ping1"}\x03']) {
  test(`messages: ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => new MessageDecoder().take(Buffer.from(text, "latin1")), INVALID);
  });
}

const LIMIT = 64 * 1024;

/** A message of so many bytes, without its end. */
const messageOf = (bytes: number) => Buffer.from(JSON.stringify("x".repeat(bytes - 2)));
const END = Buffer.from([3]);

test("messages: one of 64 KiB is taken", () => {
  assert.equal(new MessageDecoder().take(Buffer.concat([messageOf(LIMIT), END])).length, 1);
});

test("messages: one that is longer is refused, in one read", () => {
  assert.throws(() => new MessageDecoder().take(Buffer.concat([messageOf(LIMIT + 1), END])), INVALID);
});

test("messages: one that is longer is refused as soon as it is, without its end", () => {
  const decoder = new MessageDecoder();
  const bytes = messageOf(2 * LIMIT);
  let taken = 0;
  assert.throws(() => {
    for (; taken < bytes.length; taken += 1000) decoder.take(bytes.subarray(taken, taken + 1000));
  }, INVALID);
  assert.ok(taken <= LIMIT, `${taken} bytes were taken`);
});

test("messages: the limit is for each message, not for all of them", () => {
  const decoder = new MessageDecoder();
  const message = Buffer.concat([messageOf(LIMIT / 2), END]);
  for (let i = 0; i < 5; i++) assert.equal(decoder.take(message).length, 1);
});

test("messages: one that comes byte by byte takes no more memory than its bytes", () => {
  const byte = Buffer.from("x");
  const before = process.memoryUsage.rss();
  const decoders = Array.from({ length: 40 }, () => new MessageDecoder());
  for (const decoder of decoders) for (let at = 0; at < LIMIT; at++) decoder.take(byte);
  const mebibytes = (process.memoryUsage.rss() - before) / 1024 / 1024;
  assert.ok(mebibytes < 100, `${mebibytes} MiB for ${decoders.length} messages of 64 KiB`);
});
