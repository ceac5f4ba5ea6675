import assert from "node:assert/strict";
import fc from "fast-check";
import { closeFrame, WebSocketFrames } from "../../src/http/websocket_frames.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";

const stateOf = ({ closeSeen, lost, atBoundary }: WebSocketFrames) => ({ closeSeen, lost, atBoundary });

/** The offsets of all boundaries, however the bytes are cut. */
function boundaries(pieces: readonly Buffer[]): { at: number[]; state: ReturnType<typeof stateOf> } {
  const frames = new WebSocketFrames();
  const at: number[] = [];
  let before = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length;) {
      const to = frames.readFrame(piece, from);
      assert.ok(to > from && to <= piece.length, `went from ${from} to ${to} of ${piece.length}`);
      from = to;
      if (frames.atBoundary) at.push(before + to);
    }
    before += piece.length;
  }
  return { at, state: stateOf(frames) };
}

function check(bytes: Buffer): void {
  const whole = boundaries([bytes]);
  assert.deepEqual(boundaries(piecesOf(bytes, chanceOf(bytes))), whole);
  const read = new WebSocketFrames();
  read.read(bytes);
  assert.deepEqual(stateOf(read), whole.state);
  // Where the end is a boundary, a Close frame put there is seen as one.
  if (!read.atBoundary) return;
  read.read(closeFrame(1001, "", false));
  assert.equal(read.closeSeen, true);
}

const frame = fc.tuple(
  fc.constantFrom(0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xc1, 0x83, 0x08),
  fc.nat(200),
  fc.boolean(),
)
  .map(([first, length, masked]) => {
    const mask = masked ? 0x80 : 0;
    const size = length < 126 ? Buffer.from([mask | length]) : Buffer.from([mask | 126, 0, length]);
    return Buffer.concat([Buffer.from([first]), size, Buffer.alloc((masked ? 4 : 0) + length, 0x61)]);
  });
const huge = fc.constantFrom(
  "82ff000000000000000a",
  "827f00000000ffffffff",
  "827fffffffffffffffff",
  "827f001fffffffffffff",
)
  .map((hex) => Buffer.from(hex, "hex"));

fuzzTest({
  name: "websocket_frames",
  seeds: [
    Buffer.from("810548656c6c6f", "hex"),
    Buffer.from("818537fa213d7f9f4d5158", "hex"),
    Buffer.concat([Buffer.from("827e0100", "hex"), Buffer.alloc(256)]),
    Buffer.concat([Buffer.from("0103", "hex"), Buffer.from("Hel"), Buffer.from("80026c6f", "hex")]),
    Buffer.from("880203e9", "hex"),
  ],
  made: [fc.array(fc.oneof(frame, huge), { maxLength: 8 }).map((frames) => Buffer.concat(frames))],
  short: 10_000,
  check,
});
