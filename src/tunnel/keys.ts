import { createHash } from "node:crypto";
import { PetitError } from "../error.ts";
import { bitsOf, LEAST_RSA_BITS, rsaNumbers } from "./rsa_numbers.ts";
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
  const type = typeOf(blob);
  if (type === undefined) throw new PetitError("key-invalid", "The key is not in SSH's binary format");
  return { line: `${type} ${blob.toString("base64")}`, fingerprint: fingerprintOf(blob) };
}

/** The type of a key in SSH's binary format, "ssh-ed25519"; undefined where it is in none. */
export function typeOf(blob: Buffer): string | undefined {
  const length = blob.length < 4 ? 0 : blob.readUInt32BE(0);
  const type = blob.toString("latin1", 4, 4 + Math.min(length, MAX_TYPE + 1));
  return type.length === length && /^[\x21-\x7e]{1,64}$/.test(type) ? type : undefined;
}

/**
 * Reads a line "ssh-ed25519 AAAA…"; a comment may follow. Undefined where it is none. Whether anyone can break the key is another
 * question (isSound).
 */
export function readKeyLine(line: string): PublicKey | undefined {
  const [type = "", base64 = ""] = line.trim().split(/\s+/, 2);
  const blob = Buffer.from(base64, "base64");
  return type === typeOf(blob) ? describeKey(blob) : undefined;
}

/** A key in SSH's binary format (RFC 4253, section 6.6). */
export function blobOf({ line }: PublicKey): Buffer {
  return Buffer.from(line.slice(line.indexOf(" ") + 1), "base64");
}

/** "SHA256:" and the unpadded base64 of the hash, as `ssh-keygen -l` prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/**
 * Whether `blob` is a public key, and not one that can be broken.
 *
 * @param type that it has to be of, where somebody says so beside it
 */
export function isSound(blob: Buffer, type = typeOf(blob)): boolean {
  const key = parseKey(blob);
  if (key instanceof Error || key.type !== type) return false;
  // Bytes behind it would give one key many fingerprints.
  if (!key.getPublicSSH().equals(blob)) return false;
  if (type !== "ssh-rsa") return true;
  const modulus = rsaNumbers(blob)?.modulus;
  return modulus !== undefined && bitsOf(modulus) >= LEAST_RSA_BITS;
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
