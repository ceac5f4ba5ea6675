import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { parse } from "./keys.ts";

/** An RSA key in the formats of node:crypto. */
export interface RsaKey {
  /** PKCS #1 PEM. */
  readonly privatePem: string;
  /** SPKI PEM. */
  readonly publicPem: string;
}

/** Bits of a new key (NIST SP 800-57: enough beyond 2030). */
const BITS = 3072;

/** A new RSA key in PKCS #1 PEM, for servers of 0.6.x: they take no other type, and their clients read no other format. */
export function generateRsaKey(): RsaKey {
  const { privateKey: privatePem, publicKey: publicPem } = generateKeyPairSync("rsa", {
    modulusLength: BITS,
    privateKeyEncoding: { type: "pkcs1", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  return { privatePem, publicPem };
}

/** The RSA key in a PEM, also in OpenSSH's format; undefined where it is of another type. @throws PetitError `key-invalid` */
export function rsaKeyOf(pem: string): RsaKey | undefined {
  const parsed = parse(pem);
  if (parsed.type !== "ssh-rsa" || !parsed.isPrivateKey()) return undefined;
  const privatePem = parsed.getPrivatePEM();
  const publicPem = createPublicKey(privatePem).export({ type: "spki", format: "pem" }).toString();
  return { privatePem, publicPem };
}
