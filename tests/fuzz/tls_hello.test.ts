import assert from "node:assert/strict";
import { before } from "node:test";
import fc from "fast-check";
import { fileScope } from "../world/file_scope.ts";
import { keptInputs } from "./world/corpus.ts";
import { FuzzDaemons } from "./world/fuzz_daemons.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { hostileConnection } from "./world/hostile_connection.ts";
import { chanceOf, piecesOf } from "./world/pieces.ts";

const scope = fileScope();
let daemons: FuzzDaemons;
before(async () => void (daemons = await FuzzDaemons.start(scope)));

let turn = 0;

async function check(bytes: Buffer): Promise<void> {
  const chance = chanceOf(bytes);
  const pieces = chance() < 0.5 ? [bytes] : piecesOf(bytes, chance).slice(0, 40);
  const answer = await hostileConnection(daemons.daemons.server.secureProxyPort, pieces);
  // Alert, handshake: records of TLS (RFC 8446, section 5.1); nothing else is said to whoever speaks no TLS.
  assert.ok(
    answer === "" || [20, 21, 22, 23].includes(answer.charCodeAt(0)),
    `it answers ${JSON.stringify(answer.slice(0, 80))}`,
  );
  if (++turn % 500 === 0) await daemons.stillWell();
}

const uint16 = (number: number) => Buffer.from([number >> 8 & 0xff, number & 0xff]);
const record = (type: number, content: Buffer, length = content.length) =>
  Buffer.concat([Buffer.from([type, 3, 1]), uint16(length), content]);
const made = fc.tuple(
  fc.constantFrom(20, 21, 22, 23, 24, 0, 255),
  fc.uint8Array({ maxLength: 80 }),
  fc.option(fc.constantFrom(0, 1, 16_384, 16_640, 65_535), { nil: undefined }),
).map(([type, content, length]) => record(type, Buffer.from(content), length));
const handshake = fc.tuple(fc.nat(25), fc.nat(0xffffff), fc.uint8Array({ maxLength: 80 }))
  .map(([type, length, body]) =>
    record(22, Buffer.concat([Buffer.from([type, length >> 16, length >> 8 & 0xff, length & 0xff]), body]))
  );
const hello = keptInputs("tls_hello").find(({ name }) => name === "hello_of_tls_1_3")?.bytes as Buffer;

fuzzTest({
  name: "tls_hello",
  seeds: [hello, record(21, Buffer.from([2, 40])), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
  words: [
    uint16(0xffff),
    uint16(0),
    Buffer.from([0x16, 3, 1]),
    Buffer.from([0, 0x10]),
    Buffer.from([0, 0x2b]),
    "http/1.1",
    "localhost",
    "h2",
  ],
  made: [
    made,
    handshake,
    fc.array(fc.oneof(made, fc.constant(hello)), { maxLength: 4 }).map((records) => Buffer.concat(records)),
  ],
  short: 600,
  batch: 500,
  check,
  after: () => daemons.atRest(),
  memory: () => daemons.memory(),
});
