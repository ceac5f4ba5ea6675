import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { PetitError } from "../error.ts";
import { isSound, verifySignature } from "./keys.ts";
import { type ParsedKey, utils } from "./ssh_library.ts";

/**
 * Signatures over messages that are no SSH login, in OpenSSH's format (PROTOCOL.sshsig): what was signed for one purpose, its namespace, is worth
 * nothing for another one, nor for a login. `ssh-keygen -Y sign` and `-Y verify` make and check the same.
 */

const MAGIC = Buffer.from("SSHSIG", "latin1");
const VERSION = 1;
const HASH = "sha512";

/** Signature algorithms by type of key. RSA is used with SHA-2 alone. */
const RSA_HASHES: Readonly<Record<string, string>> = { "rsa-sha2-512": "sha512", "rsa-sha2-256": "sha256" };

/** Signs a message. @param privatePem as OpenSSH keeps it @throws PetitError `key-invalid` */
export function signMessage(privatePem: string | Buffer, namespace: string, message: Buffer): Buffer {
  const parsed = utils.parseKey(privatePem) as ParsedKey | ParsedKey[] | Error;
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error || !key.isPrivateKey()) {
    throw new PetitError("key-invalid", "The key file holds no private key");
  }
  const isRsa = key.type === "ssh-rsa";
  const signed = key.sign(signedBytes(namespace, message), isRsa ? HASH : undefined) as Buffer | Error;
  if (signed instanceof Error) throw new PetitError("key-invalid", "The key cannot sign", { cause: signed });
  const signature = Buffer.concat([sshString(isRsa ? "rsa-sha2-512" : key.type), sshString(signed)]);
  const version = Buffer.alloc(4);
  version.writeUInt32BE(VERSION);
  const parts = [key.getPublicSSH(), namespace, "", HASH, signature].map(sshString);
  return Buffer.concat([MAGIC, version, ...parts]);
}

/**
 * Whether a signature over a message was made with the private half of a key, for that purpose.
 * False for anything that does not parse.
 *
 * @param blob the key in SSH's binary format
 */
export function isSignedBy(blob: Buffer, namespace: string, message: Buffer, signature: Buffer): boolean {
  const reader = new Reader(signature);
  try {
    if (!reader.bytes(MAGIC.length).equals(MAGIC) || reader.number() !== VERSION) return false;
    const [key, purpose, , hash, inner] = [
      ...[reader.string(), reader.string(), reader.string(), reader.string(), reader.string()],
    ] as [Buffer, Buffer, Buffer, Buffer, Buffer];
    if (!reader.atEnd || !key.equals(blob) || purpose.toString("latin1") !== namespace) return false;
    if (hash.toString("latin1") !== HASH) return false;
    const parts = new Reader(inner);
    const algorithm = parts.string().toString("latin1");
    const bytes = parts.string();
    const type = typeOf(blob);
    if (!parts.atEnd || !isSound(type, blob)) return false;
    if (type !== "ssh-rsa" && algorithm !== type) return false;
    const rsaHash = type === "ssh-rsa" ? RSA_HASHES[algorithm] : undefined;
    if (type === "ssh-rsa" && rsaHash === undefined) return false;
    return verifySignature(type, blob, signedBytes(namespace, message), bytes, rsaHash);
  } catch {
    return false;
  }
}

/** What is signed in place of the message. */
function signedBytes(namespace: string, message: Buffer): Buffer {
  const digest = createHash(HASH).update(message).digest();
  return Buffer.concat([MAGIC, ...[namespace, "", HASH, digest].map(sshString)]);
}

function typeOf(blob: Buffer): string {
  return new Reader(blob).string().toString("latin1");
}

/** RFC 4251, section 5. */
function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @throws RangeError where there are not so many */
  bytes(length: number): Buffer {
    if (this.#at + length > this.#bytes.length) throw new RangeError("The signature breaks off");
    return this.#bytes.subarray(this.#at, this.#at += length);
  }

  number(): number {
    return this.bytes(4).readUInt32BE(0);
  }

  string(): Buffer {
    return this.bytes(this.number());
  }
}
