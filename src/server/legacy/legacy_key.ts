import { createPublicKey, type KeyObject } from "node:crypto";
import { PetitError } from "../../error.ts";
import { blobOf, readKeyLine } from "../../tunnel/keys.ts";
import { bitsOf, LEAST_RSA_BITS, rsaNumbers } from "../../tunnel/rsa_numbers.ts";

/** With more bits, encrypting to the key costs the server too much. */
const MOST_BITS = 8192;

/**
 * A key of a client of 0.6.x, as a registration holds it ("ssh-rsa AAAA…").
 *
 * @throws PetitError `key-refused` where nothing can be proven with it
 */
export function legacyKey(line: string): KeyObject {
  const key = readKeyLine(line);
  const numbers = key === undefined ? undefined : rsaNumbers(blobOf(key));
  if (numbers === undefined) {
    throw new PetitError("key-refused", "Only an RSA key can be used over the backchannel of petit 0.6");
  }
  const { exponent, modulus } = numbers;
  const bits = bitsOf(modulus);
  if (bits < LEAST_RSA_BITS || bits > MOST_BITS || bitsOf(exponent) > 32) {
    throw new PetitError(
      "key-refused",
      `The key has ${bits} bits, and wanted is an RSA key of ${LEAST_RSA_BITS} to ${MOST_BITS} bits: take the client's file "key" away and register again`,
    );
  }
  const jwk = { kty: "RSA", e: exponent.toString("base64url"), n: modulus.toString("base64url") };
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (error) {
    throw new PetitError("key-refused", "The key cannot be used", { cause: error });
  }
}
