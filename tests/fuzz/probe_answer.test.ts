import assert from "node:assert/strict";
import fc from "fast-check";
import { type Dialogue, type Finding, MAX_BYTES } from "../../src/server/probe/converse.ts";
import { http } from "../../src/server/probe/http.ts";
import { mysql } from "../../src/server/probe/mysql.ts";
import { postgresql } from "../../src/server/probe/postgresql.ts";
import { tds } from "../../src/server/probe/tds.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";

const DIALOGUES: Record<string, () => Dialogue> = { mysql, postgresql, tds, http: () => http("/health", "h") };

/** What a probe finds where a service sends these pieces. */
function found(dialogue: Dialogue, pieces: readonly Buffer[]): Finding | undefined {
  let finding: Finding | undefined;
  let over = false;
  let sent = 0;
  const talk = {
    send: () => void sent++,
    found: (one: Finding) => void (finding ??= one),
    over: () => void (over = true),
  };
  dialogue.begin(talk);
  let have: Buffer = Buffer.alloc(0);
  for (const piece of pieces) {
    if (over || have.length >= MAX_BYTES) break;
    have = Buffer.concat([have, piece]);
    dialogue.received(have.subarray(0, MAX_BYTES), talk);
  }
  assert.ok(sent < 10, `it sent ${sent} times`);
  return finding;
}

function check(bytes: Buffer): void {
  const chance = chanceOf(bytes);
  for (const make of Object.values(DIALOGUES)) {
    found(make(), [bytes]);
    const finding = found(make(), piecesOf(bytes, chance));
    if (finding === undefined || finding.well) continue;
    // It stands on an operator's terminal.
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(finding.error, /[\x00-\x1f\x7f-\x9f]/);
    assert.ok(finding.error.length < 800);
  }
}

const packet = (number: number, ...parts: (string | number[])[]) => {
  const payload = Buffer.concat(parts.map((part) => typeof part === "string" ? Buffer.from(part) : Buffer.from(part)));
  return Buffer.concat([Buffer.from([payload.length & 0xff, payload.length >> 8, 0, number]), payload]);
};
const pgError = (text: string) => {
  const bytes = Buffer.from(text);
  const head = Buffer.from([0x45, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
};
const greeting = packet(0, [10], "8.0.36\0", [1, 0, 0, 0], "abcdefgh\0");

fuzzTest({
  name: "probe_answer",
  seeds: [
    greeting,
    Buffer.concat([
      greeting,
      packet(2, [0xfe], "caching_sha2_password\0"),
      packet(4, [0xff, 0x15, 4], "#28000Access denied"),
    ]),
    packet(0, [0xff, 0x10, 4], "Too many connections"),
    pgError("SFATAL\0C0A000\0Munsupported\0\0"),
    "N",
    Buffer.from("0401002b00000100000010000601001600010600170001ff0f0007d00000020000", "hex"),
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\n\r\n",
    "HTTP/1.1 200 OK\r\n",
  ],
  words: [
    "\0",
    "\xff",
    "\x1b[2J",
    "\u009b",
    "HTTP/1.1 ",
    "\r\n",
    "503 ",
    Buffer.from([0xff, 0xff, 0xff, 0]),
    Buffer.from([0x45, 0xff, 0xff, 0xff, 0xff]),
  ],
  made: [
    fc.tuple(fc.nat(3), fc.constantFrom(0, 10, 0xfe, 0xff), fc.uint8Array({ maxLength: 60 })).map((
      [number, kind, rest],
    ) => packet(number, [kind, ...rest])),
    fc.string({ unit: "binary", maxLength: 60 }).map((text) => pgError(`M${text}\0C${text}\0`)),
    fc.string({ unit: "binary", maxLength: 60 }).map((text) => Buffer.from(`HTTP/1.1 500 ${text}\r\n\r\n`, "latin1")),
  ],
  short: 4000,
  check,
});
