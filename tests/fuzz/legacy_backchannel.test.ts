import assert from "node:assert/strict";
import fc from "fast-check";
import { PetitError } from "../../src/error.ts";
import { legacyClientMessage } from "../../src/tunnel/legacy_messages.ts";
import { encodeMessage, MessageDecoder } from "../../src/tunnel/message_stream.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

const MESSAGES = [
  { type: "ping1" },
  { type: "check1", vitae: { brand: "ce", version: "0.6.34" } },
  { type: "upgrade1", version: "0.6.34", id: "1" },
  {
    type: "register1",
    handshakeVersion: 1,
    publicKey: "-----BEGIN PUBLIC KEY-----",
    preferred: { id: "1001", port: 11081 },
  },
  { type: "handshake1", handshakeVersion: 1, registeredId: ["1001", "1002"] },
  { type: "handshake2", handshakeVersion: 1, registeredId: ["1001"], response: "AAAA" },
  {
    type: "handshake3",
    vitae: { brand: "ce", hostname: "h", arch: "x64", platform: "linux", release: "1", version: "0.6.34" },
  },
  { type: "unregister1", handshakeVersion: 1, registeredId: "1001" },
  { type: "unregister2", handshakeVersion: 1, registeredId: 1001, response: "" },
];

const changed = fc.tuple(
  fc.constantFrom(...MESSAGES),
  fc.dictionary(fc.constantFrom(...MESSAGES.flatMap(Object.keys), "__proto__"), fc.jsonValue({ maxDepth: 3 })),
).map(([message, changes]) => JSON.stringify({ ...message, ...changes }));

/** What is understood of a client of 0.6.x has the size and the kind that the rest of the server counts on. */
function check(bytes: Buffer): void {
  let raw: unknown[];
  try {
    raw = new MessageDecoder().take(bytes);
  } catch (error) {
    assert.ok(error instanceof PetitError, String(error));
    return;
  }
  for (const message of raw) {
    const { success, data } = legacyClientMessage.safeParse(message);
    if (!success) continue;
    if ("registeredId" in data) {
      assert.ok(
        data.registeredId.length >= 1 && data.registeredId.every((id) => typeof id === "string" && id.length <= 64),
      );
    }
    if ("vitae" in data) {
      assert.ok(Object.values(data.vitae).every((text) => text === undefined || text.length <= 256));
      assert.ok(data.vitae.brand !== undefined && data.vitae.version !== undefined);
    }
  }
  assert.equal(Object.keys(Object.prototype).length, 0);
}

fuzzTest({
  name: "legacy_backchannel",
  seeds: MESSAGES.map(encodeMessage),
  words: ["\x03", "{", "}", "[", "]", '"', ",", ":", "null", "1e999", "-1", '"__proto__":', "\\ud800", "\xff"],
  made: [changed.map((message) => `${message}\x03`)],
  short: 3000,
  check,
});
