import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import test from "node:test";
import { blobOf, generateKey, isSound, publicKeyOf } from "../../../src/tunnel/keys.ts";
import { generateRsaKey, rsaKeyOf } from "../../../src/tunnel/rsa_key.ts";
import { utils } from "../../../src/tunnel/ssh_library.ts";

test("RSA key: a new one is in the PEM that 0.6.x reads, long enough, and reads as itself", () => {
  const key = generateRsaKey();
  assert.match(key.privatePem, /^-----BEGIN RSA PRIVATE KEY-----\n/);
  assert.match(key.publicPem, /^-----BEGIN PUBLIC KEY-----\n/);
  assert.equal(createPublicKey(key.publicPem).asymmetricKeyDetails?.modulusLength, 3072);
  assert.ok(isSound(blobOf(publicKeyOf(key.privatePem))));
  const read = rsaKeyOf(key.privatePem);
  assert.equal(read?.privatePem.trim(), key.privatePem.trim());
  assert.equal(read?.publicPem, key.publicPem);
});

test("RSA key: one in OpenSSH's format is one too, and one of another type is none", () => {
  const { private: openssh } = utils.generateKeyPairSync("rsa", { bits: 2048, comment: "x" } as never);
  assert.match(openssh, /OPENSSH/);
  const key = rsaKeyOf(openssh);
  assert.match(key?.privatePem ?? "", /^-----BEGIN RSA PRIVATE KEY-----\n/);
  assert.equal(publicKeyOf(key?.privatePem ?? "").line, publicKeyOf(openssh).line);
  assert.equal(rsaKeyOf(generateKey("x").privatePem), undefined);
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  assert.equal(rsaKeyOf(privateKey)?.privatePem.replaceAll(/\s/g, ""), privateKey.replaceAll(/\s/g, ""));
});
