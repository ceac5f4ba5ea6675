import assert from "node:assert/strict";
import fc from "fast-check";
import { BodyReader, chunkOf, lastChunk } from "../../src/http/body.ts";
import type { Framing } from "../../src/http/framing.ts";
import { MessageError } from "../../src/http/message_error.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";

/** What a reader makes of bytes: their data, how many belong to the body where it is whole, and what went wrong. */
interface Read {
  readonly data: Buffer;
  readonly used: number | undefined;
  readonly refused: boolean;
  readonly trailers: BodyReader["trailers"];
}

function read(framing: Framing, pieces: readonly Buffer[]): Read {
  const reader = new BodyReader(framing);
  const data: Buffer[] = [];
  let used = 0;
  try {
    for (const piece of pieces) {
      const count = reader.read(piece, (part) => data.push(part));
      assert.ok(reader.done || count === piece.length, "bytes were left over before the end");
      used += count;
      if (reader.done) break;
    }
  } catch (error) {
    assert.ok(error instanceof MessageError, String(error));
    return { data: Buffer.concat(data), used: undefined, refused: true, trailers: [] };
  }
  const whole = reader.done ? used : undefined;
  return { data: Buffer.concat(data), used: whole, refused: false, trailers: reader.trailers };
}

const FRAMINGS: readonly Framing[] = [
  { kind: "chunked" },
  { kind: "chunked" },
  { kind: "chunked" },
  { kind: "length", length: 40 },
  { kind: "length", length: Number.MAX_SAFE_INTEGER },
  { kind: "until-close" },
  { kind: "none" },
];

function check(bytes: Buffer): void {
  const chance = chanceOf(bytes);
  const framing = FRAMINGS[Math.floor(chance() * FRAMINGS.length)] as Framing;
  const whole = read(framing, [bytes]);
  const pieces = read(framing, piecesOf(bytes, chance));
  assert.deepEqual(pieces, whole);
  if (whole.used === undefined) return;
  // What goes on is framed anew, and means the same to whoever reads it.
  const out = Buffer.concat([
    ...piecesOf(whole.data, chance).filter(({ length }) => length > 0).map(chunkOf),
    lastChunk(whole.trailers),
  ]);
  const again = read({ kind: "chunked" }, [out]);
  assert.equal(again.used, out.length);
  assert.deepEqual(again.data, whole.data);
  assert.ok(again.trailers.length <= whole.trailers.length);
  assert.ok(!again.trailers.some(({ lower }) => lower === "content-length" || lower === "transfer-encoding"));
}

const chunk = fc.tuple(
  fc.constantFrom("0", "1", "5", "a", "1F", "ffffffff", "fffffffffffff", "-1", "", "+5", "0x5"),
  fc.constantFrom("", ";a=b", " ;x", "\t", ";\xff", "\0"),
  fc.constantFrom("", "x", "hello", "0123456789", "\r\n"),
).map(([size, extension, data]) => `${size}${extension}\r\n${data}\r\n`);
const made = fc.tuple(
  fc.array(chunk, { maxLength: 6 }),
  fc.constantFrom("0\r\n\r\n", "0\r\nX: y\r\n\r\n", "0\r\nHost: z\r\nA:b\r\n\r\n", ""),
)
  .map(([chunks, end]) => Buffer.from(chunks.join("") + end, "latin1"));

fuzzTest({
  name: "http_body",
  seeds: [
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
    "a;ext=1\r\n0123456789\r\n0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.1\r\n",
    "00000a\r\n0123456789\r\n000\r\n\r\n",
  ],
  words: [
    "\r\n",
    "\n",
    "0\r\n\r\n",
    ";",
    "ffffffffffff",
    "FFFFFFFF",
    "fffffffffffff",
    "\r\n0\r\nTransfer-Encoding: chunked\r\n",
  ],
  made: [made],
  short: 12_000,
  check,
});
