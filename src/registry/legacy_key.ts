import { createPublicKey } from "node:crypto";
import { describeKey, type PublicKey } from "../tunnel/keys.ts";

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
  return describeKey(Buffer.concat([text("ssh-rsa"), integer(jwk.e), integer(jwk.n)]));
}

function text(value: string): Buffer {
  return withLength(Buffer.from(value, "latin1"));
}

/** A positive number: a first bit of 1 would make it a negative one (RFC 4251, section 5, "mpint"). */
function integer(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, "base64url");
  return withLength((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
