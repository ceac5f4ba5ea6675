import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import test from "node:test";
import {
  blobOf,
  describeKey,
  fingerprintOf,
  generateKey,
  isSound,
  publicKeyOf,
  readKeyLine,
  typeOf,
} from "../../../src/tunnel/keys.ts";
import { ENCRYPTED_KEY, VECTORS } from "./ssh_keygen_vectors.ts";

for (const { name, line, fingerprint } of VECTORS) {
  test(`keys: an ${name} key has the line and the fingerprint that ssh-keygen prints`, () => {
    const blob = Buffer.from(line.split(" ")[1] as string, "base64");
    assert.deepEqual(describeKey(blob), { line, fingerprint });
    assert.equal(fingerprintOf(blob), fingerprint);
  });
}

test("keys: the public half of a key made by ssh-keygen is the one that it printed", () => {
  const [{ privatePem, line, fingerprint }] = VECTORS;
  assert.deepEqual(publicKeyOf(privatePem), { line, fingerprint });
  assert.deepEqual(publicKeyOf(Buffer.from(privatePem)), { line, fingerprint });
});

test("keys: a new pair is ed25519, in OpenSSH's format, and another one each time", () => {
  const one = generateKey("petit client");
  const two = generateKey("petit client");
  assert.match(one.privatePem, /^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
  assert.match(one.publicKey.line, /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI[A-Za-z0-9+/=]+$/);
  assert.deepEqual(publicKeyOf(one.privatePem), one.publicKey);
  assert.notEqual(one.publicKey.fingerprint, two.publicKey.fingerprint);
});

test("keys: every new pair is whole, also where its public half begins with a zero byte", () => {
  // One in 256 does: enough pairs are made to meet several.
  for (let i = 0; i < 1000; i++) {
    const { privatePem, publicKey } = generateKey("x");
    assert.equal(Buffer.from(publicKey.line.split(" ")[1] as string, "base64").length, 51);
    assert.deepEqual(publicKeyOf(privatePem), publicKey);
  }
});

test("keys: a file without a private key is refused", () => {
  const [{ line }] = VECTORS;
  assert.throws(() => publicKeyOf(line), { name: "PetitError", code: "key-invalid", message: /no private key/ });
});

for (
  const [name, pem] of Object.entries({
    "an empty file": "",
    "a text": "hello",
    "a key that is cut off": VECTORS[0].privatePem.slice(0, 120),
    "a key with a passphrase": ENCRYPTED_KEY,
    "a certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  })
) {
  test(`keys: ${name} is refused as a key`, () => {
    assert.throws(() => publicKeyOf(pem), { name: "PetitError", code: "key-invalid", message: /^The key / });
  });
}

test("keys: a fingerprint is the SHA-256 of the key, without padding", () => {
  const blob = Buffer.from("any bytes");
  assert.equal(fingerprintOf(blob), `SHA256:${createHash("sha256").update(blob).digest("base64").slice(0, 43)}`);
});

test("keys: the private half of a new pair belongs to its public half", () => {
  const { privatePem, publicKey } = generateKey("x");
  // The seed is the 32 bytes before the public key's second copy in an unencrypted ed25519 key (PROTOCOL.key).
  const body = Buffer.from(privatePem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  const point = Buffer.from(publicKey.line.split(" ")[1] as string, "base64").subarray(-32);
  const at = body.indexOf(Buffer.concat([Buffer.from([0, 0, 0, 64])]), body.indexOf(point) + 32) + 4;
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), body.subarray(at, at + 32)]);
  const derived = createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
  assert.equal(derived.export({ format: "jwk" }).x, point.toString("base64url"));
});

test("keys: a line is read, with a comment or without", () => {
  const [{ line, fingerprint }] = VECTORS;
  const [type, base64] = line.split(" ") as [string, string];
  for (const text of [line, `${line} someone@host`, ` ${type}\t${base64}\n`]) {
    assert.deepEqual(readKeyLine(text), { line, fingerprint }, text);
  }
  for (
    const text of [
      "",
      type,
      base64,
      `ssh-rsa ${base64}`,
      `${type} AAAA`,
      `${type} !`,
      `restrict ${line}`,
      `"" ${base64}`,
    ]
  ) {
    assert.equal(readKeyLine(text), undefined, text);
  }
  assert.deepEqual(describeKey(blobOf({ line, fingerprint })), { line, fingerprint });
});

test("keys: the type is the first thing in a key", () => {
  const { publicKey } = generateKey("x");
  assert.equal(typeOf(blobOf(publicKey)), "ssh-ed25519");
  const damaged = ["", "000000", "00000000", "00000003", "ffffffff61", "000000020061", `00000041${"61".repeat(65)}`];
  for (const hex of damaged) assert.equal(typeOf(Buffer.from(hex, "hex")), undefined, hex);
});

test("keys: a key is sound as what it is, and where it is said to be another type it is not", () => {
  const blob = blobOf(generateKey("x").publicKey);
  assert.equal(isSound(blob), true);
  assert.equal(isSound(blob, "ssh-ed25519"), true);
  assert.equal(isSound(blob, "ssh-rsa"), false);
  assert.equal(isSound(blob.subarray(1)), false);
  assert.equal(isSound(Buffer.concat([blob, Buffer.from([0])])), false);
});
