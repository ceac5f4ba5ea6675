import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, privateDecrypt } from "node:crypto";
import test from "node:test";
import { Challenge } from "../../../../src/server/legacy/challenge.ts";
import { legacyKey } from "../../../../src/server/legacy/legacy_key.ts";
import { sshKeyOfPem } from "../../../../src/registry/ssh_key_of_pem.ts";
import { generateKey } from "../../../../src/tunnel/keys.ts";

const options = (bits: number) => ({
  modulusLength: bits,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
} as const);

test("a key of 0.6: only its holder meets a challenge", () => {
  const pair = generateKeyPairSync("rsa", options(2048));
  const challenge = new Challenge(legacyKey(sshKeyOfPem(pair.publicKey).line));
  const bytes = privateDecrypt(createPrivateKey(pair.privateKey), Buffer.from(challenge.prompt, "base64"));
  assert.ok(challenge.isMetBy(bytes.toString("base64")));
  bytes[0] = (bytes[0] as number) ^ 1;
  assert.ok(!challenge.isMetBy(bytes.toString("base64")));
  for (const response of ["", "AAAA", challenge.prompt]) assert.ok(!challenge.isMetBy(response));
});

test("a key of 0.6: what proves nothing, or costs too much, is refused", () => {
  const short = sshKeyOfPem(generateKeyPairSync("rsa", options(1024)).publicKey).line;
  const refused = (line: string, message: RegExp) =>
    assert.throws(() => legacyKey(line), { code: "key-refused", message }, line);
  refused(short, /has 1024 bits, and wanted is an RSA key of 2048 to 8192 bits/);
  for (const line of [generateKey("x").publicKey.line, "", "ssh-rsa", "ssh-rsa AAAA", short.slice(0, -8)]) {
    refused(line, /Only an RSA key/);
  }
});
