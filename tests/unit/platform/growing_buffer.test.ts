import assert from "node:assert/strict";
import test from "node:test";
import { GrowingBuffer } from "../../../src/platform/growing_buffer.ts";

test("growing buffer: what comes byte by byte takes no more than twice its memory, and comes out as it went in", () => {
  const buffer = new GrowingBuffer();
  const bytes = Buffer.from(Array.from({ length: 64 * 1024 }, (_, at) => at % 251));
  for (const byte of bytes) {
    buffer.add(Buffer.of(byte));
    assert.ok(buffer.capacity <= Math.max(256, 2 * buffer.size), `${buffer.capacity} bytes for ${buffer.size}`);
  }
  assert.ok(buffer.take().equals(bytes));
  assert.deepEqual([buffer.size, buffer.capacity], [0, 0]);
});

test("growing buffer: a piece is copied", () => {
  const buffer = new GrowingBuffer();
  const piece = Buffer.from("abc");
  buffer.add(piece);
  piece.fill("x");
  assert.equal(buffer.take().toString(), "abc");
  assert.equal(buffer.take().length, 0);
});
