import assert from "node:assert/strict";
import test from "node:test";
import { BodyReader, chunkOf, lastChunk } from "../../../src/http/body.ts";
import { parseFields } from "../../../src/http/fields.ts";

test("chunks: a piece is written with its size in hexadecimal", () => {
  assert.equal(chunkOf(Buffer.from("hello")).toString(), "5\r\nhello\r\n");
  assert.equal(chunkOf(Buffer.alloc(255, "x")).toString(), `ff\r\n${"x".repeat(255)}\r\n`);
});

test("chunks: the last one has no data", () => {
  assert.equal(lastChunk([]).toString(), "0\r\n\r\n");
});

test("chunks: whatever is written in chunks is read as it was", () => {
  const pieces = [1, 15, 16, 17, 4095, 70_000].map((size, index) => Buffer.alloc(size, 200 + index));
  const written = Buffer.concat([
    ...pieces.map(chunkOf),
    lastChunk(parseFields(["Digest: x", "X-Sum: \xe9"], 0)),
    Buffer.from("next"),
  ]);
  const reader = new BodyReader({ kind: "chunked" });
  const read: Buffer[] = [];
  const used = reader.read(written, (piece) => read.push(piece));
  assert.ok(Buffer.concat(read).equals(Buffer.concat(pieces)));
  assert.equal(used, written.length - "next".length);
  assert.equal(reader.done, true);
  assert.deepEqual(reader.trailers.map(({ name, value }) => [name, value]), [["Digest", "x"], ["X-Sum", "\xe9"]]);
});

for (
  const name of [
    "Transfer-Encoding",
    "Content-Length",
    "Host",
    "Connection",
    "Trailer",
    "Authorization",
    "Set-Cookie",
    "Content-Type",
    "X-Forwarded-For",
    "Forwarded",
  ]
) {
  test(`chunks: ${name} has no place in trailers`, () => {
    assert.equal(lastChunk(parseFields([`${name}: 1`, "Digest: x"], 0)).toString(), "0\r\nDigest: x\r\n\r\n");
  });
}
