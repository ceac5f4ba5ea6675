import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { type LibraryDecipher, Opener } from "../../src/tunnel/aes_gcm.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";
import { anyMessage, message, sshString, uint32 } from "./world/ssh_packets.ts";

const KEY = Buffer.alloc(16, 1);
const IV = Buffer.alloc(12, 2);

/** What an opener makes of a stream: the payloads and data before anything went wrong, and whether it did. */
function opened(pieces: readonly Buffer[]): { payloads: string[]; refused: boolean } {
  const payloads: string[] = [];
  const library = {
    inSeqno: 0,
    _onPayload: (payload: Buffer) => void payloads.push(payload.toString("base64")),
    _decipherSSLName: "aes-128-gcm",
    _decipherKey: KEY,
    _decipherIV: Buffer.from(IV),
  } satisfies LibraryDecipher;
  const opener = new Opener(library, (channel, data) => {
    payloads.push(`${channel} ${data.toString("base64")}`);
    return channel !== 7;
  });
  try {
    for (const piece of pieces) opener.decrypt(piece, 0, piece.length);
    return { payloads, refused: false };
  } catch (error) {
    assert.ok(error instanceof Error && !(error instanceof RangeError) && !(error instanceof TypeError), String(error));
    return { payloads, refused: true };
  }
}

function check(bytes: Buffer): void {
  assert.deepEqual(opened(piecesOf(bytes, chanceOf(bytes))), opened([bytes]));
}

/** A stream of packets whose content is as it is given, padding length and all, each sealed as it should be. */
function sealed(contents: readonly Buffer[]): Buffer {
  const iv = Buffer.from(IV);
  return Buffer.concat(contents.flatMap((content) => {
    const cipher = createCipheriv("aes-128-gcm", KEY, iv);
    const length = uint32(content.length);
    cipher.setAAD(length);
    const body = Buffer.concat([cipher.update(content), cipher.final()]);
    iv.writeBigUInt64BE(iv.readBigUInt64BE(4) + 1n, 4);
    return [length, body, cipher.getAuthTag()];
  }));
}

/** A payload with its padding; `lie` is another padding length. */
function content(payload: Buffer, lie?: number): Buffer {
  const padding = 16 + 15 - (1 + payload.length + 15) % 16;
  return Buffer.concat([Buffer.from([lie ?? padding]), payload, Buffer.alloc(padding)]);
}

const lying = fc.tuple(
  fc.oneof(anyMessage, fc.constant(Buffer.alloc(0))),
  fc.option(fc.nat(255), { nil: undefined, freq: 3 }),
)
  .map(([payload, lie]) => content(payload, lie));
const data = fc.tuple(fc.constantFrom(0, 7, 2 ** 32 - 1), fc.constantFrom(0, 1, 5, 6, 2 ** 31, 2 ** 32 - 1))
  .map(([channel, length]) => content(message(94, uint32(channel), uint32(length), Buffer.from("hello"))));

fuzzTest({
  name: "sealed_packets",
  seeds: [
    sealed([
      content(message(94, uint32(0), sshString("hello"))),
      content(message(80, "keepalive@openssh.com", Buffer.from([1]))),
    ]),
    sealed([
      content(message(94, uint32(7), sshString("hello"))),
      content(Buffer.alloc(0)),
      content(Buffer.alloc(32_768)),
    ]),
  ],
  words: [uint32(0xffffffff), uint32(0), uint32(16), uint32(35_000), uint32(34_992)],
  made: [fc.array(fc.oneof(lying, data), { maxLength: 6 }).map(sealed)],
  short: 3000,
  check,
});
