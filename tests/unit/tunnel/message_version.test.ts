import assert from "node:assert/strict";
import test from "node:test";
import type { PetitError } from "../../../src/error.ts";
import { version } from "../../../src/platform/version.ts";
import { refuseOtherVersion } from "../../../src/tunnel/message_version.ts";

const sentenceOf = (raw: unknown, sender: "client" | "server"): string => {
  try {
    refuseOtherVersion(raw, sender);
    return "";
  } catch (error) {
    assert.equal((error as PetitError).code, "version-refused");
    return (error as PetitError).message;
  }
};

const cases: [raw: unknown, sender: "client" | "server", said: string][] = [
  [
    { type: "handshake9", handshakeVersion: 3, vitae: { version: "2.0.0" }, sealed: [[]] },
    "client",
    `The client (petit 2.0.0) speaks version 3 of the backchannel, and this server (petit ${version}) version 2: upgrade the server`,
  ],
  [
    { type: "handshake1", handshakeVersion: 1 },
    "client",
    `The client speaks version 1 of the backchannel, and this server (petit ${version}) version 2: upgrade the client`,
  ],
  [
    { type: "shakehand1", handshakeVersion: 3, vitae: { version: "2.0.0-rc.1+7" } },
    "server",
    `The server (petit 2.0.0-rc.1+7) speaks version 3 of the backchannel, and this client (petit ${version}) version 2: upgrade the client`,
  ],
  [
    { handshakeVersion: 1, vitae: { version: "\x1b[2J" } },
    "server",
    `The server speaks version 1 of the backchannel, and this client (petit ${version}) version 2: upgrade the server`,
  ],
  [
    { handshakeVersion: 0, vitae: null },
    "server",
    `The server speaks version 0 of the backchannel, and this client (petit ${version}) version 2: upgrade the server`,
  ],
];
for (const [raw, sender, said] of cases) {
  test(`backchannel version: ${JSON.stringify(raw)} of a ${sender}`, () => assert.equal(sentenceOf(raw, sender), said));
}

for (
  const raw of [{ handshakeVersion: 2 }, {}, null, undefined, 7, "x", [], { handshakeVersion: "3" }, {
    handshakeVersion: 2.5,
  }]
) {
  test(`backchannel version: ${JSON.stringify(raw)} names no other one`, () =>
    assert.equal(sentenceOf(raw, "client"), ""));
}
