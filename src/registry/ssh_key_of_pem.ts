import { Buffer } from "node:buffer";
import { createPublicKey } from "node:crypto";
import { describeKey, type PublicKey } from "../tunnel/keys.ts";
import { sshNumber, sshString } from "../tunnel/ssh_strings.ts";

/**
 * A public key of 0.6.x (PEM: SPKI, or PKCS #1 as it was once) as SSH writes it (RFC 4253, section 6.6).
 *
 * @throws Error whose message says what is wrong with it
 */
export function sshKeyOfPem(pem: string): PublicKey {
  if (/PRIVATE KEY/.test(pem)) throw new Error("it holds a private key");
  let jwk: { kty?: string; e?: string; n?: string };
  try {
    jwk = createPublicKey(pem).export({ format: "jwk" }) as typeof jwk;
  } catch {
    throw new Error("it cannot be read as a public key in PEM format");
  }
  if (jwk.kty !== "RSA" || jwk.e === undefined || jwk.n === undefined) throw new Error("it is not an RSA key");
  const numbers = [jwk.e, jwk.n].map((number) => Buffer.from(number, "base64url"));
  return describeKey(Buffer.concat([sshString("ssh-rsa"), ...numbers.map(sshNumber)]));
}
