import { Buffer } from "node:buffer";
import { blobOf, describeKey, type PublicKey, typeOf, verifySignature } from "./keys.ts";
import { utils } from "./ssh_library.ts";
import { readStrings, sshString } from "./ssh_strings.ts";

/**
 * How a server that has proven one host key vouches for its others (OpenSSH's PROTOCOL, section 2.5): after the login it names all of them,
 * and signs the SSH session's id with those that the client asks for. No other session's signature is of any use here.
 */

/** The name of the request with which a server tells its host keys. */
export const HOST_KEYS = "hostkeys-00@openssh.com";
/** The name of the request with which a client asks for the proof of some of them. */
export const HOST_KEYS_PROVE = "hostkeys-prove-00@openssh.com";

/** SSH_MSG_GLOBAL_REQUEST (RFC 4254, section 4). */
export const GLOBAL_REQUEST = 80;

/** Who announces more host keys than that is not followed. */
const MOST_KEYS = 16;

/** Bytes; an RSA key of 16,384 bits has 2,100. */
const LONGEST_KEY = 4096;

/** The one type of key that petit makes for a host, and therefore proves and learns: what every ed25519 key begins with, and its length. */
const ED25519 = Buffer.concat([sshString("ssh-ed25519"), Buffer.from([0, 0, 0, 32])]);
const ED25519_LENGTH = 51;

/** A global request (RFC 4254, section 4), without its first byte. */
export function globalRequest(name: string, wantReply: boolean, content: Buffer): Buffer {
  return Buffer.concat([sshString(name), Buffer.from([wantReply ? 1 : 0]), content]);
}

/** The content of a request of that name, whose payload begins with its first byte; undefined where it is another one. */
export function contentOfRequest(payload: Buffer, name: string): { wantReply: boolean; content: Buffer } | undefined {
  const start = sshString(name);
  const end = 1 + start.length;
  if (payload[0] !== GLOBAL_REQUEST || !payload.subarray(1, end).equals(start)) return undefined;
  return { wantReply: payload[end] === 1, content: payload.subarray(end + 1) };
}

/** The keys that are announced or asked for; undefined where the list is damaged, or larger than any server's. */
export function readKeys(content: Buffer): PublicKey[] | undefined {
  const blobs = readStrings(content, MOST_KEYS);
  if (blobs === undefined || blobs.some((blob) => !hasType(blob))) return undefined;
  const keys = blobs.map((blob) => describeKey(blob));
  return new Set(keys.map(({ line }) => line)).size === keys.length ? keys : undefined;
}

/** Whether a key is of the type that petit proves and learns. */
export function isProvable(key: PublicKey): boolean {
  const blob = blobOf(key);
  return blob.length === ED25519_LENGTH && blob.subarray(0, ED25519.length).equals(ED25519);
}

/** Proves the possession of a host key to the client of a session. @param privatePem of an ed25519 key */
export function signProof(privatePem: string, publicKey: PublicKey, sessionId: Buffer): Buffer {
  const key = utils.parseKey(privatePem);
  if (key instanceof Error || Array.isArray(key)) throw new Error("the host key cannot be used");
  const signature = key.sign(signedForProof(publicKey, sessionId)) as Buffer | Error;
  if (signature instanceof Error) throw signature;
  return Buffer.concat([sshString("ssh-ed25519"), sshString(signature)]);
}

/** Whether that is the proof of an ed25519 key for this session. */
export function isProof(proof: Buffer, key: PublicKey, sessionId: Buffer): boolean {
  const [algorithm, signature, ...more] = readStrings(proof, 2) ?? [];
  if (algorithm?.toString("latin1") !== "ssh-ed25519" || signature === undefined || more.length > 0) return false;
  return verifySignature("ssh-ed25519", blobOf(key), signedForProof(key, sessionId), signature, undefined);
}

function signedForProof(key: PublicKey, sessionId: Buffer): Buffer {
  return Buffer.concat([sshString(HOST_KEYS_PROVE), sshString(sessionId), sshString(blobOf(key))]);
}

/** Whether bytes may be a key: its type and something more (RFC 4253, section 6.6). */
function hasType(blob: Buffer): boolean {
  if (blob.length > LONGEST_KEY || blob.length < 8) return false;
  const type = typeOf(blob);
  return type !== undefined && 4 + type.length < blob.length;
}
