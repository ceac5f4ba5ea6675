import assert from "node:assert/strict";
import fc from "fast-check";
import { PetitError } from "../../src/error.ts";
import { encodeMessage, MessageDecoder } from "../../src/tunnel/message_stream.ts";
import { clientMessage, serverMessage } from "../../src/tunnel/messages.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";

const ETX = 0x03;
const LARGEST = 64 * 1024;

/** What a decoder makes of pieces: the messages before anything went wrong, and whether it did. */
function decoded(pieces: readonly Buffer[]): { messages: unknown[]; refused: boolean } {
  const decoder = new MessageDecoder();
  const messages: unknown[] = [];
  try {
    for (const piece of pieces) messages.push(...decoder.take(piece));
  } catch (error) {
    assert.ok(error instanceof PetitError && error.code === "message-invalid", String(error));
    return { messages, refused: true };
  }
  return { messages, refused: false };
}

/** The same, by the words of the format alone. */
function expected(bytes: Buffer): { messages: unknown[]; refused: boolean } {
  const messages: unknown[] = [];
  let from = 0;
  for (let end = bytes.indexOf(ETX); end >= 0; end = bytes.indexOf(ETX, from)) {
    if (end - from > LARGEST) return { messages, refused: true };
    try {
      messages.push(JSON.parse(bytes.toString("utf8", from, end)));
    } catch {
      return { messages, refused: true };
    }
    from = end + 1;
  }
  return { messages, refused: bytes.length - from > LARGEST };
}

function check(bytes: Buffer): void {
  const wanted = expected(bytes);
  const inPieces = decoded(piecesOf(bytes, chanceOf(bytes)));
  assert.equal(inPieces.refused, wanted.refused);
  // Those of the piece in which something goes wrong are not told.
  const count = wanted.refused ? inPieces.messages.length : wanted.messages.length;
  assert.ok(count <= wanted.messages.length);
  assert.equal(inPieces.messages.length, count);
  // What is nested thousands deep is more than the comparison can follow.
  if (bytes.length < 8000) assert.deepEqual(inPieces.messages, wanted.messages.slice(0, count));
  assert.equal(decoded([bytes]).refused, wanted.refused);
  for (const raw of wanted.messages) {
    for (const schema of [clientMessage, serverMessage]) {
      const result = schema.safeParse(raw);
      if (!result.success) continue;
      // What is understood is what goes on being understood.
      const again = schema.safeParse(JSON.parse(encodeMessage(result.data).subarray(0, -1).toString("utf8")));
      assert.ok(again.success);
      assert.ok(Object.getPrototypeOf(result.data) === Object.prototype);
    }
  }
  assert.equal(Object.keys(Object.prototype).length, 0);
}

const vitae = { brand: "ce", version: "1", hostname: "h", platform: "linux" };
const MESSAGES = [
  { type: "register1", handshakeVersion: 2, preferred: { id: "1001", port: 11081 }, tenant: "default", vitae },
  {
    ...{ type: "handshake1", handshakeVersion: 2, vitae, services: { "1001": { probe: "/health", host: "h" } } },
    disconnects: [{ tunnel: "0123456789abcdef", at: 1, lasted: 2, ids: ["1001"], cause: "the client stopped" }],
  },
  { type: "unregister1", handshakeVersion: 2, registeredId: "1001" },
  { type: "ping1" },
  { type: "probe1", registeredId: "1001" },
  { type: "didRegister1", registeredId: "1001", registeredPort: 11081, endpoint: "http://1001.example", notice: "n" },
  {
    ...{ type: "shakehand1", registrations: [{ registeredId: "1", registeredPort: 1, endpoint: "e" }] },
    ...{ vitae: { environment: "e", endpoint: "e", version: "1" }, unwell: { "1": { code: "c", error: "e", ago: 5 } } },
  },
  { type: "didUnregister1" },
  { type: "didPing1" },
  { type: "didProbe1", reached: false, milliseconds: 1.5, code: "c", error: "e" },
  { type: "reconnect1", after: 5, successor: true },
  { type: "error", error: "e", code: "c" },
];

const json = fc.oneof(
  { weight: 100, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.nat(140_000).map((size) => `"${"x".repeat(size)}"`) },
  { weight: 1, arbitrary: fc.nat(40_000).map((depth) => "[".repeat(depth)) },
  { weight: 1, arbitrary: fc.nat(20_000).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`) },
  { weight: 1, arbitrary: fc.nat(6000).map((depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`) },
);
const changed = fc.tuple(
  fc.constantFrom(...MESSAGES),
  fc.dictionary(fc.constantFrom(...MESSAGES.flatMap(Object.keys), "__proto__"), fc.jsonValue({ maxDepth: 2 })),
)
  .map(([message, changes]) => JSON.stringify({ ...message, ...changes }));

fuzzTest({
  name: "backchannel",
  seeds: [...MESSAGES.map(encodeMessage), Buffer.concat(MESSAGES.map(encodeMessage))],
  words: [
    "\x03",
    "{",
    "}",
    "[",
    "]",
    '"',
    ",",
    ":",
    "null",
    "1e999",
    "-1",
    '"__proto__":',
    "\\ud800",
    "\xff",
    "0xFFFFFFFF",
    "4294967295",
  ],
  made: [
    fc.array(fc.oneof(json, changed), { maxLength: 4 }).map((messages) =>
      messages.map((message) => `${message}\x03`).join("")
    ),
  ],
  short: 3000,
  check,
});
