import { createHash } from "node:crypto";
import { PetitError } from "../error.ts";
import { type ParsedKey, utils } from "./ssh_library.ts";

/** A public key as it stands in an authorized_keys file, and its fingerprint as OpenSSH prints it. */
export interface PublicKey {
  /** "ssh-ed25519 AAAA…", without a comment. */
  readonly line: string;
  /** "SHA256:…" */
  readonly fingerprint: string;
}

/** A new ed25519 key pair, the private half in OpenSSH's PEM format. */
export function generateKey(comment: string): { privatePem: string; publicKey: PublicKey } {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519", { comment });
    // ssh2 1.17 drops a leading zero byte of the public key, so that one pair in 256 is damaged.
    const parsed = utils.parseKey(pair.private);
    if (!(parsed instanceof Error) && signsForItself(parsed)) {
      return { privatePem: pair.private, publicKey: describeKey(parsed.getPublicSSH()) };
    }
  }
}

/** A new key for ECDSA on P-256, in OpenSSH's PEM format. */
export function generateEcdsaKey(comment: string): string {
  for (;;) {
    const { private: pem } = utils.generateKeyPairSync("ecdsa", { bits: 256, comment });
    const parsed = utils.parseKey(pem);
    if (!(parsed instanceof Error) && signsForItself(parsed)) return pem;
  }
}

function signsForItself(key: ParsedKey): boolean {
  const signed = Buffer.from("a new key");
  return key.verify(signed, key.sign(signed) as Buffer) === true;
}

/** The public half of a private key. @throws PetitError `key-invalid` */
export function publicKeyOf(privatePem: string | Buffer): PublicKey {
  const parsed = parse(privatePem);
  if (!parsed.isPrivateKey()) throw new PetitError("key-invalid", "The key file holds no private key");
  return describeKey(parsed.getPublicSSH());
}

/** Longest name of a kind of keys (RFC 4251, section 6). */
const MAX_TYPE = 64;

/** Describes a key in SSH's binary format (RFC 4253, section 6.6). @throws PetitError `key-invalid` where it is in none */
export function describeKey(blob: Buffer): PublicKey {
  const typeLength = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  const type = blob.toString("latin1", 4, 4 + Math.min(typeLength, MAX_TYPE + 1));
  if (type.length !== typeLength || !/^[\x21-\x7e]{1,64}$/.test(type)) {
    throw new PetitError("key-invalid", "The key is not in SSH's binary format");
  }
  return { line: `${type} ${blob.toString("base64")}`, fingerprint: fingerprintOf(blob) };
}

/** "SHA256:" and the unpadded base64 of the hash, as `ssh-keygen -l` prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** Below this many bits an RSA key proves nothing (NIST SP 800-131A). */
const LEAST_RSA_BITS = 2048;

/** Whether `blob` is a public key of the type `type`, and not one that can be broken. */
export function isSound(type: string, blob: Buffer): boolean {
  const key = utils.parseKey(blob);
  if (key instanceof Error || Array.isArray(key) || key.type !== type) return false;
  if (type !== "ssh-rsa") return true;
  // RFC 4253, section 6.6: the name, e and n, each after its length.
  let at = 0;
  for (let skipped = 0; skipped < 2; skipped++) at += 4 + blob.readUInt32BE(at);
  const modulus = blob.subarray(at + 4, at + 4 + blob.readUInt32BE(at));
  const first = modulus.findIndex((byte) => byte !== 0);
  return first >= 0 && (modulus.length - first) * 8 - Math.clz32(modulus[first] as number) + 24 >= LEAST_RSA_BITS;
}

/**
 * Whether `signature` over `signed` was made with the private half of the key `blob` (RFC 4252, section 7).
 * False for anything that does not parse, and for RSA with SHA-1 unless `allowSha1`.
 */
export function verifySignature(
  algorithm: string,
  blob: Buffer,
  signed: Buffer,
  signature: Buffer,
  hash: string | undefined,
  allowSha1 = false,
): boolean {
  const key = parseKey(blob);
  if (key instanceof Error) return false;
  // The library takes keys in text too: one key would have as many fingerprints as it has texts.
  if (!key.getPublicSSH().equals(blob)) return false;
  // The name of the algorithm and the key are two fields of one message, and the peer fills in both.
  if (key.type !== algorithm || algorithm === "ssh-dss") return false;
  const isSha1 = algorithm === "ssh-rsa" && hash === undefined;
  if (algorithm === "ssh-rsa" && hash !== "sha256" && hash !== "sha512" && !(isSha1 && allowSha1)) return false;
  try {
    return key.verify(signed, signature, isSha1 ? "sha1" : hash) === true;
  } catch {
    return false;
  }
}

/** The library throws some of its errors, returns others, and has nothing to say of some keys. */
function parseKey(data: string | Buffer): ParsedKey | Error {
  try {
    const parsed = utils.parseKey(data) as ParsedKey | ParsedKey[] | Error | undefined;
    return (Array.isArray(parsed) ? parsed[0] : parsed) ?? new Error("there is none in it");
  } catch (error) {
    return error as Error;
  }
}

/** @throws PetitError `key-invalid` */
export function parse(pem: string | Buffer): ParsedKey {
  const parsed = parseKey(pem);
  if (parsed instanceof Error) {
    throw new PetitError("key-invalid", `The key does not parse: ${parsed.message}`, { cause: parsed });
  }
  return parsed;
}
