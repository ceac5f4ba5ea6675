import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createPublicKey } from "node:crypto";
import test from "node:test";
import { blobOf, generateKey, publicKeyOf } from "../../../src/tunnel/keys.ts";
import { generateRsaKey } from "../../../src/tunnel/rsa_key.ts";
import { bitsOf, rsaNumbers } from "../../../src/tunnel/rsa_numbers.ts";
import { sshString } from "../../../src/tunnel/ssh_strings.ts";

test("RSA numbers: those of a key, and their bits", () => {
  const { privatePem, publicPem } = generateRsaKey();
  const numbers = rsaNumbers(blobOf(publicKeyOf(privatePem)));
  assert.ok(numbers !== undefined);
  const { n = "", e = "" } = createPublicKey(publicPem).export({ format: "jwk" }) as { n?: string; e?: string };
  // The modulus begins with a 1, which a zero keeps positive.
  assert.deepEqual(numbers.modulus, Buffer.concat([Buffer.from([0]), Buffer.from(n, "base64url")]));
  assert.deepEqual(numbers.exponent, Buffer.from(e, "base64url"));
  assert.deepEqual([bitsOf(numbers.modulus), bitsOf(numbers.exponent)], [3072, 17]);
});

test("RSA numbers: what is no RSA key has none", () => {
  const [type, number] = [sshString("ssh-rsa"), sshString(Buffer.from([1, 0, 1]))];
  assert.notEqual(rsaNumbers(Buffer.concat([type, number, number])), undefined);
  for (
    const parts of [[], [type], [type, number], [type, number, number, number], [sshString("ssh-dss"), number, number]]
  ) {
    assert.equal(rsaNumbers(Buffer.concat(parts)), undefined);
  }
  assert.equal(rsaNumbers(Buffer.concat([type, number, number, Buffer.from([0])])), undefined);
  assert.equal(rsaNumbers(blobOf(generateKey("x").publicKey)), undefined);
});

for (const [hex, bits] of [["", 0], ["0000", 0], ["01", 1], ["00ff", 8], ["0100", 9], ["000080000000", 32]] as const) {
  test(`RSA numbers: 0x${hex} has ${bits} bits`, () => assert.equal(bitsOf(Buffer.from(hex, "hex")), bits));
}
