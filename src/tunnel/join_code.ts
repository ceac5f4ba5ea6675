import { createHash, randomBytes } from "node:crypto";
import { PetitError } from "../error.ts";

/**
 * What a customer pastes to register: one word, "petit-" and the base64url of
 *
 * | bytes | what                                                        |
 * |-------|-------------------------------------------------------------|
 * | 1     | version, 1                                                  |
 * | 16    | secret, random, known to the server as a hash only          |
 * | 32    | SHA-256 of the server's public host key (RFC 4253 format)   |
 * | 2     | port of the SSH gateway, big-endian                         |
 * | n     | host name or address of the server, UTF-8                   |
 * | 4     | start of the SHA-256 of all the bytes before, against typos |
 */
export interface JoinCode {
  /** The one-time secret, base64url. */
  readonly secret: string;
  /** "SHA256:…", as OpenSSH prints it. */
  readonly hostKeyFingerprint: string;
  readonly host: string;
  readonly port: number;
}

const PREFIX = "petit-";
const VERSION = 1;
const SECRET_AT = 1;
const HASH_AT = 17;
const PORT_AT = 49;
const HOST_AT = 51;
const CHECK_BYTES = 4;

/** Without white space and control characters. */
// deno-lint-ignore no-control-regex
const NO_SPACE = /^[^\x00-\x20\x7f-\xa0]+$/;

export function newJoinSecret(): string {
  return randomBytes(16).toString("base64url");
}

/** What the server keeps of a secret. 128 random bits need no salt and no slow hash. */
export function hashJoinSecret(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

export function encodeJoinCode(code: JoinCode): string {
  const body = Buffer.concat([
    Buffer.from([VERSION]),
    Buffer.from(code.secret, "base64url"),
    Buffer.from(code.hostKeyFingerprint.replace("SHA256:", ""), "base64"),
    Buffer.from([code.port >> 8, code.port & 0xff]),
    Buffer.from(code.host, "utf8"),
  ]);
  return PREFIX + Buffer.concat([body, check(body)]).toString("base64url");
}

/** @throws PetitError `join-code-invalid`, with exit code 2 */
export function decodeJoinCode(text: string): JoinCode {
  const word = text.trim();
  const invalid = (why: string) =>
    new PetitError("join-code-invalid", `This is not a join code: ${why}`, {
      hint: 'Copy the whole code that "petit server join" printed; it is one word that begins with "petit-"',
      exitCode: 2,
    });
  if (!word.startsWith(PREFIX)) throw invalid('it does not begin with "petit-"');
  if (!/^[A-Za-z0-9_-]+$/.test(word)) throw invalid("it holds a character that no join code has");
  const bytes = Buffer.from(word.slice(PREFIX.length), "base64url");
  // Base64 has spare bits, which a decoder ignores; a mistyped character may hide in them.
  if (bytes.toString("base64url") !== word.slice(PREFIX.length)) throw invalid("a character is missing or mistyped");
  const body = bytes.subarray(0, -CHECK_BYTES);
  if (body.length <= HOST_AT || !bytes.subarray(-CHECK_BYTES).equals(check(body))) {
    throw invalid("a character is missing or mistyped");
  }
  if (body[0] !== VERSION) {
    throw new PetitError(
      "join-code-version",
      `This join code is of version ${body[0]}, which this petit does not know`,
      {
        hint: "Install the version of petit that the server's operator names",
        exitCode: 2,
      },
    );
  }
  const port = body.readUInt16BE(PORT_AT);
  const host = body.subarray(HOST_AT).toString("utf8");
  // The checksum is no signature: anyone can make a code, and its address is shown on a terminal and written into the config.
  if (port === 0 || !NO_SPACE.test(host) || !Buffer.from(host).equals(body.subarray(HOST_AT))) {
    throw invalid("the address of the server in it is none");
  }
  return {
    secret: body.subarray(SECRET_AT, HASH_AT).toString("base64url"),
    hostKeyFingerprint: `SHA256:${body.subarray(HASH_AT, PORT_AT).toString("base64").replace(/=+$/, "")}`,
    port,
    host,
  };
}

function check(body: Buffer): Buffer {
  return createHash("sha256").update(body).digest().subarray(0, CHECK_BYTES);
}
