import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { PetitError } from "../error.ts";
import { isSound, parse, typeOf, verifySignature } from "./keys.ts";
import { readStrings, sshString, uint32 } from "./ssh_strings.ts";

/**
 * Signatures over messages that are no SSH login, in OpenSSH's format (PROTOCOL.sshsig): what was signed for one purpose, its namespace, is worth
 * nothing for another one, nor for a login. `ssh-keygen -Y sign` and `-Y verify` make and check the same.
 */

const MAGIC = Buffer.from("SSHSIG", "latin1");
/** What a signature begins with: version 1. */
const START = Buffer.concat([MAGIC, uint32(1)]);
const HASH = "sha512";

/** Signature algorithms by type of key. RSA is used with SHA-2 alone. */
const RSA_HASHES: Readonly<Record<string, string>> = { "rsa-sha2-512": "sha512", "rsa-sha2-256": "sha256" };

/** Signs a message. @param privatePem as OpenSSH keeps it @throws PetitError `key-invalid` */
export function signMessage(privatePem: string | Buffer, namespace: string, message: Buffer): Buffer {
  const key = parse(privatePem);
  if (!key.isPrivateKey()) throw new PetitError("key-invalid", "The key file holds no private key");
  const isRsa = key.type === "ssh-rsa";
  const signed = key.sign(signedBytes(namespace, message), isRsa ? HASH : undefined) as Buffer | Error;
  if (signed instanceof Error) throw new PetitError("key-invalid", "The key cannot sign", { cause: signed });
  const signature = Buffer.concat([sshString(isRsa ? "rsa-sha2-512" : key.type), sshString(signed)]);
  const parts = [key.getPublicSSH(), namespace, "", HASH, signature].map(sshString);
  return Buffer.concat([START, ...parts]);
}

/**
 * Whether a signature over a message was made with the private half of a key, for that purpose.
 * False for anything that does not parse.
 *
 * @param blob the key in SSH's binary format
 */
export function isSignedBy(blob: Buffer, namespace: string, message: Buffer, signature: Buffer): boolean {
  if (!signature.subarray(0, START.length).equals(START)) return false;
  const [key, purpose, , hash, inner] = readStrings(signature.subarray(START.length), 5) ?? [];
  if (key === undefined || purpose === undefined || hash === undefined || inner === undefined) return false;
  if (!key.equals(blob) || purpose.toString("latin1") !== namespace || hash.toString("latin1") !== HASH) return false;
  const [name, bytes] = readStrings(inner, 2) ?? [];
  if (name === undefined || bytes === undefined || !isSound(blob)) return false;
  const algorithm = name.toString("latin1");
  const type = typeOf(blob) as string;
  if (type !== "ssh-rsa") {
    return algorithm === type && verifySignature(type, blob, signedBytes(namespace, message), bytes, undefined);
  }
  const hashOfRsa = RSA_HASHES[algorithm];
  return hashOfRsa !== undefined && verifySignature(type, blob, signedBytes(namespace, message), bytes, hashOfRsa);
}

/** What is signed in place of the message. */
function signedBytes(namespace: string, message: Buffer): Buffer {
  const digest = createHash(HASH).update(message).digest();
  return Buffer.concat([MAGIC, ...[namespace, "", HASH, digest].map(sshString)]);
}
