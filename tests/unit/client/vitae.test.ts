import assert from "node:assert/strict";
import { arch, hostname, platform } from "node:os";
import test from "node:test";
import { clientVitae } from "../../../src/client/vitae.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { version } from "../../../src/platform/version.ts";
import { clientMessage, HANDSHAKE_VERSION } from "../../../src/tunnel/messages.ts";

const vitaeOf = (text: string) => clientVitae(parseConfig(text, "/petit/config.toml").client);

test("vitae: a client tells its version, its machine and whose it is", () => {
  const vitae = vitaeOf('[client.vitae]\nbrand = "b"\nbundle = "c"\n');
  assert.equal(vitae.brand, "b");
  assert.equal(vitae.bundle, "c");
  assert.equal(vitae.version, version);
  assert.deepEqual([vitae.hostname, vitae.arch, vitae.platform], [hostname(), arch(), platform()]);
});

test("vitae: a client without a bundle does not speak of one", () => {
  assert.equal("bundle" in vitaeOf(""), false);
});

test("vitae: what a client tells is what a server takes", () => {
  for (const text of ["", '[client.vitae]\nbundle = "c"\n']) {
    const vitae = vitaeOf(text);
    const message = { type: "handshake1", handshakeVersion: HANDSHAKE_VERSION, vitae };
    assert.deepEqual(clientMessage.parse(message), message);
  }
});
