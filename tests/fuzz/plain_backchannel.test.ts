import assert from "node:assert/strict";
import { publicEncrypt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { before } from "node:test";
import fc from "fast-check";
import { LegacyBackchannel } from "../../src/client/legacy/legacy_backchannel.ts";
import { parseConfig } from "../../src/config/load.ts";
import { PetitError } from "../../src/error.ts";
import { encodeMessage } from "../../src/tunnel/message_stream.ts";
import { generateRsaKey } from "../../src/tunnel/rsa_key.ts";
import { fileScope } from "../world/file_scope.ts";
import { listenOn, temporaryFolder } from "../world/world.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

const scope = fileScope();
const key = generateRsaKey();
/** What a server of 0.6.x says in a handshake; hostile bytes are sent in place of one of these, or behind it. */
const HANDSHAKE = [
  {
    type: "shakehand1",
    replacement: ["4001"],
    prompt: publicEncrypt(key.publicPem, Buffer.alloc(50, 7)).toString("base64"),
  },
  { type: "shakehand2", bindPort: "11081", vitae: { environment: "e", endpoint: "http://REGID.x", version: "0.6.34" } },
];
let hostile: { readonly at: number; readonly bytes: Buffer };
let backchannel: () => LegacyBackchannel;

before(async () => {
  const server = createServer((socket: Socket) => {
    let asked = 0;
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      for (let at = bytes.indexOf(3); at >= 0; at = bytes.indexOf(3, at + 1)) {
        const answer = HANDSHAKE[asked];
        if (asked++ === hostile.at) socket.end(hostile.bytes);
        else if (answer !== undefined) socket.write(encodeMessage(answer));
      }
    });
  });
  const port = await listenOn(server);
  scope.after(() => void server.close());
  const folder = temporaryFolder(scope);
  mkdirSync(join(folder, "tenants", "default"), { recursive: true });
  writeFileSync(join(folder, "key"), key.privatePem, { mode: 0o600 });
  writeFileSync(join(folder, "tenants", "default", "registration"), '{"id":"4001","port":11081}');
  const text = `[client]\nhost = "127.0.0.1"\nbackPort = ${port}\nconnectTimeout = "500ms"\n`;
  const { client: config } = parseConfig(text, `${folder}/config.toml`);
  backchannel = () => new LegacyBackchannel({ config, folder, holds: true });
});

async function check(bytes: Buffer): Promise<void> {
  hostile = { at: (bytes[0] ?? 0) % 3, bytes: bytes.subarray(1) };
  const client = backchannel();
  try {
    const vitae = { brand: "ce", version: "1" };
    const { registrations } = await client.ask({ type: "handshake1", handshakeVersion: 2, vitae }, "shakehand1");
    for (const { registeredId, registeredPort } of registrations) {
      assert.equal(registeredId, "4001");
      assert.ok(registeredPort >= 1 && registeredPort <= 65535);
    }
  } catch (error) {
    assert.ok(error instanceof PetitError, String(error));
  } finally {
    client.close();
  }
}

const MESSAGES: readonly object[] = [
  ...HANDSHAKE,
  { type: "error", error: "no" },
  { type: "error", error: { code: 1 } },
  { type: "didPing1" },
  { type: "shakehand2", bindPort: [11081, "11082"] },
];

fuzzTest({
  name: "plain_backchannel",
  seeds: MESSAGES.flatMap((message) => [0, 1, 2].map((at) => Buffer.from([at, ...encodeMessage(message)]))),
  words: ["\x03", "{", "}", "[", "]", '"', "null", "1e999", "-1", "65536", '"__proto__":', "\xff"],
  made: [
    fc.tuple(
      fc.nat(2),
      fc.constantFrom(...MESSAGES),
      fc.dictionary(fc.constantFrom(...MESSAGES.flatMap(Object.keys), "__proto__"), fc.jsonValue({ maxDepth: 2 })),
    ).map(([at, message, changes]) => Buffer.from([at, ...encodeMessage({ ...message, ...changes })])),
  ],
  short: 300,
  check,
});
