import assert from "node:assert/strict";
import test from "node:test";
import { closeFrame, GOING_AWAY, WebSocketFrames } from "../../../src/http/websocket_frames.ts";
import { BINARY, CLOSE, CONTINUATION, type Frame, frameBytes, PING, TEXT } from "../../world/websocket.ts";

const bytesOf = (...frames: Frame[]) => Buffer.from(frames.map(frameBytes).join(""), "latin1");

/** Frames with every form of a header. */
const FRAMES: Frame[] = [
  { opcode: TEXT, payload: "" },
  { opcode: TEXT, payload: "", masked: true },
  { opcode: TEXT, payload: "a fragment", fin: false, masked: true },
  { opcode: PING, payload: "\x88\x02\x03\xe9" },
  { opcode: CONTINUATION, payload: "the last one" },
  { opcode: BINARY, payload: "\x88".repeat(125) },
  { opcode: BINARY, payload: "\x88".repeat(126) },
  { opcode: BINARY, payload: "\x88".repeat(130), masked: true },
  { opcode: BINARY, payload: "short, in a long way", lengthBytes: 2 },
  { opcode: BINARY, payload: "\x88".repeat(20), lengthBytes: 8 },
  { opcode: BINARY, payload: "\x88".repeat(20), lengthBytes: 8, masked: true },
];
const ALL = bytesOf(...FRAMES);
const BOUNDARIES = FRAMES.reduce<number[]>((at, frame) => [...at, (at.at(-1) ?? 0) + bytesOf(frame).length], []);

/** The boundaries that are found in `chunks`, as offsets in all of them. */
function boundaries(frames: WebSocketFrames, chunks: readonly Buffer[]): number[] {
  const found: number[] = [];
  let before = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      at = frames.readFrame(chunk, at);
      if (frames.atBoundary) found.push(before + at);
    }
    before += chunk.length;
  }
  return found;
}

test("frames: the boundaries of all forms are found in one piece", () => {
  assert.deepEqual(boundaries(new WebSocketFrames(), [ALL]), BOUNDARIES);
});

test("frames: they are found however the bytes are cut", () => {
  for (let first = 0; first <= ALL.length; first++) {
    const chunks = [ALL.subarray(0, first), ALL.subarray(first)];
    assert.deepEqual(boundaries(new WebSocketFrames(), chunks), BOUNDARIES, `cut at ${first}`);
  }
  for (let size = 1; size < 20; size++) {
    const chunks: Buffer[] = [];
    for (let at = 0; at < ALL.length; at += size) chunks.push(ALL.subarray(at, at + size));
    assert.deepEqual(boundaries(new WebSocketFrames(), chunks), BOUNDARIES, `pieces of ${size}`);
  }
});

test("frames: a boundary is where a frame may be put in, and nowhere else", () => {
  const frames = new WebSocketFrames();
  assert.ok(frames.atBoundary, "before the first");
  for (let at = 0; at < ALL.length; at++) {
    frames.read(ALL.subarray(at, at + 1));
    assert.equal(frames.atBoundary, BOUNDARIES.includes(at + 1), `behind byte ${at}`);
  }
  assert.equal(frames.closeSeen, false, "payload that looks like a Close frame is none");
});

test("frames: the end of a frame of 5 GiB is found by counting", () => {
  const frames = new WebSocketFrames();
  frames.read(Buffer.from([0x82, 127, 0, 0, 0, 1, 0x40, 0, 0, 0]));
  const mebibyte = Buffer.alloc(1024 * 1024, 0x88);
  for (let count = 0; count < 5 * 1024 - 1; count++) frames.read(mebibyte);
  assert.equal(frames.readFrame(mebibyte.subarray(0, -1), 0), mebibyte.length - 1);
  assert.ok(!frames.atBoundary);
  assert.equal(frames.readFrame(Buffer.from("\x88\x88"), 0), 1);
  assert.ok(frames.atBoundary);
});

test("frames: a Close frame is seen from its first byte on, and nothing may follow it", () => {
  for (const payload of ["", "\x03\xe8", "\x03\xe8reason"]) {
    const frames = new WebSocketFrames();
    const close = bytesOf({ opcode: CLOSE, payload, masked: true });
    frames.read(bytesOf({ opcode: TEXT, payload: "last words" }));
    frames.read(close.subarray(0, 1));
    assert.ok(frames.closeSeen);
    frames.read(Buffer.concat([close.subarray(1), Buffer.from("\xff whatever")]));
    assert.ok(frames.closeSeen && !frames.atBoundary && !frames.lost);
  }
});

const MALFORMED: Record<string, number[]> = {
  "an opcode that is reserved for data": [0x83, 0],
  "an opcode that is reserved for control": [0x8b, 0],
  "a control frame in fragments": [0x09, 0],
  "a control frame with an extended length": [0x89, 126, 0, 1],
  "a length of 64 bits with the highest set": [0x82, 127, 0x80],
  "a line of text": [...Buffer.from("GET / HTTP/1.1\r\n")],
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  test(`frames: ${what} ends the search for boundaries`, () => {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const frames = new WebSocketFrames();
      frames.read(bytesOf({ opcode: TEXT, payload: "sound" }));
      frames.read(Buffer.from(bytes.slice(0, cut)));
      frames.read(Buffer.from(bytes.slice(cut)));
      frames.read(ALL);
      assert.ok(frames.lost && !frames.atBoundary && !frames.closeSeen);
    }
  });
}

test("close frame: a server's is not masked", () => {
  assert.equal(closeFrame(GOING_AWAY, "", false).toString("hex"), "880203e9");
  assert.equal(closeFrame(1000, "bye", false).toString("latin1"), "\x88\x05\x03\xe8bye");
});

test("close frame: a client's is masked with a key of its own each time", () => {
  const keys = new Set<string>();
  for (let count = 0; count < 10; count++) {
    const bytes = closeFrame(GOING_AWAY, "bye", true);
    assert.equal(bytes.toString("hex", 0, 2), "8885");
    const key = bytes.subarray(2, 6);
    keys.add(key.toString("hex"));
    const payload = bytes.subarray(6).map((byte, at) => byte ^ (key[at % 4] as number));
    assert.equal(Buffer.from(payload).toString("latin1"), "\x03\xe9bye");
  }
  assert.ok(keys.size > 1);
});

test("close frame: a reason of 123 bytes is the longest", () => {
  assert.equal(closeFrame(GOING_AWAY, "ä".repeat(61), true).length, 6 + 124);
  assert.throws(() => closeFrame(GOING_AWAY, "x".repeat(124), true), RangeError);
});
