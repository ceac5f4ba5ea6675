import { PetitError } from "../error.ts";
import { describeKey, isSound, type PublicKey } from "./keys.ts";
import { LEAST_RSA_BITS, rsaNumbers } from "./rsa_numbers.ts";

/** A key of 16,384 bits, which is OpenSSH's limit, takes 3 KiB as text; a file of several is none that this is for. */
export const MAX_KEY_TEXT = 64 * 1024;

/** Bytes; RSA keys of more than 16,384 bits are verified nowhere. */
const MAX_KEY = 4096;

/** RFC 4716, section 3; PuTTY's key generator saves public keys so. */
const RFC4716_BEGIN = "---- BEGIN SSH2 PUBLIC KEY ----";
const RFC4716_END = "---- END SSH2 PUBLIC KEY ----";

const HINT =
  'Wanted: a public key as "ssh-keygen" writes it into a file that ends in .pub, such as ~/.ssh/id_ed25519.pub';
const MAKE_ONE = 'Make another with "ssh-keygen -t ed25519"';

/**
 * Reads a public key: one line as OpenSSH has it, or RFC 4716.
 *
 * @param accepted [server.ssh] pubkeyAcceptedAlgorithms: a key with which nobody could log in is refused here
 * @throws PetitError `key-private`, `key-invalid`, `key-type-refused` or `key-too-short`, with exit code 2; never with the text in it
 */
export function readPublicKey(bytes: Buffer, accepted: readonly string[]): PublicKey {
  const lines = textOf(bytes).split(/\r\n|\n|\r/).map((line) => line.trim());
  if (lines.some((line) => /PRIVATE KEY|^PuTTY-User-Key-File-/.test(line))) {
    throw refused("key-private", "This is a private key, which nobody else may ever see", {
      hint: 'Give the public half: the file beside it that ends in .pub; PuTTYgen has it under "Save public key"',
    });
  }
  const begin = lines.indexOf(RFC4716_BEGIN);
  const { type, base64 } = begin >= 0 ? rfc4716(lines.slice(begin + 1)) : oneLine(lines);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw invalid("its base64 is damaged");
  const blob = Buffer.from(base64, "base64");
  if (blob.length > MAX_KEY) throw invalid("it is longer than any key that can be used");
  const key = described(blob);
  const inside = key.line.slice(0, key.line.indexOf(" "));
  if (type !== undefined && type !== inside) {
    throw invalid(`it says that it is of the type "${type}", and is of another`);
  }
  refuseType(inside, accepted);
  if (!isSound(blob) || key.line !== `${inside} ${withPadding(base64)}`) throw unsound(inside, blob);
  return key;
}

/** PowerShell writes UTF-16 with a byte order mark. */
function textOf(bytes: Buffer): string {
  if (bytes.length > MAX_KEY_TEXT) throw invalid("it is longer than any key");
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString("utf16le", 2);
  const text = bytes.toString("utf8").replace(/^\ufeff/, "");
  if (text.trim() === "") throw invalid("there is nothing in it");
  return text;
}

/** "ssh-ed25519 AAAA… comment"; empty lines and lines of comment around it. */
function oneLine(lines: readonly string[]): { type: string; base64: string } {
  const keys = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const [line = ""] = keys;
  const match = /^([a-z0-9@.-]{1,64})[ \t]+([A-Za-z0-9+/=]+)(?:[ \t].*)?$/.exec(line);
  if (match === null) {
    if (/\s(?:ssh-|ecdsa-|sk-)[a-z0-9@.-]+ AAAA/.test(` ${line}`)) {
      throw invalid("other words stand before it, such as the options of an authorized_keys file");
    }
    throw invalid("it is not one line of a type, base64 and a comment");
  }
  if (keys.length > 1) throw invalid(`there are ${keys.length} lines in it; register one key at a time`);
  return { type: match[1] as string, base64: match[2] as string };
}

function rfc4716(lines: readonly string[]): { type: undefined; base64: string } {
  const end = lines.indexOf(RFC4716_END);
  if (end < 0) throw invalid("its end is missing");
  let base64 = "";
  let continued = false;
  for (const line of lines.slice(0, end)) {
    // Headers have a colon, and go on in the next line after a backslash (section 3.3).
    const isHeader: boolean = continued || line.includes(":");
    continued = isHeader && line.endsWith("\\");
    if (!isHeader) base64 += line;
  }
  return { type: undefined, base64 };
}

function described(blob: Buffer): PublicKey {
  try {
    return describeKey(blob);
  } catch {
    throw invalid("its base64 is damaged");
  }
}

/** @throws PetitError `key-type-refused` with the way out */
function refuseType(type: string, accepted: readonly string[]): void {
  const algorithms = type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type];
  if (algorithms.some((name) => accepted.includes(name))) return;
  const typeRefused = (what: string, hint: string) => refused("key-type-refused", what, { hint });
  if (/-cert-v0[01]@openssh\.com$/.test(type)) {
    throw typeRefused("This is a certificate, and petit takes plain keys", "Give the public key that it was made for");
  }
  if (type.startsWith("sk-")) {
    throw typeRefused(`A key of the type "${type}" lives in a security key, which petit does not know`, MAKE_ONE);
  }
  if (type === "ssh-dss") throw typeRefused("DSA keys can be broken", MAKE_ONE);
  const setting = "[server.ssh] pubkeyAcceptedAlgorithms";
  if (/^ecdsa-sha2-nistp(256|384|521)$/.test(type)) {
    throw typeRefused(
      `Keys of the type "${type}" are not in ${setting}`,
      `${MAKE_ONE}, or have the operator add "+${type}" there`,
    );
  }
  throw typeRefused(`Keys of the type "${type.slice(0, 64)}" are not in ${setting}`, MAKE_ONE);
}

function unsound(type: string, blob: Buffer): PetitError {
  if (type === "ssh-rsa" && rsaNumbers(blob) !== undefined) {
    return refused("key-too-short", `RSA keys need ${LEAST_RSA_BITS} bits at least`, { hint: MAKE_ONE });
  }
  return invalid("it is damaged");
}

function withPadding(base64: string): string {
  const bare = base64.replace(/=+$/, "");
  return bare + "=".repeat((4 - bare.length % 4) % 4);
}

function invalid(why: string): PetitError {
  return refused("key-invalid", `This is no public key: ${why}`, { hint: HINT });
}

function refused(code: string, message: string, { hint }: { hint: string }): PetitError {
  return new PetitError(code, message, { hint, exitCode: 2 });
}
