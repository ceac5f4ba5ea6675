import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import {
  decodeJoinCode,
  encodeJoinCode,
  hashJoinSecret,
  type JoinCode,
  newJoinSecret,
} from "../../../src/tunnel/join_code.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const SECRET = Buffer.from(Array.from({ length: 16 }, (_, index) => index));
const HASH = createHash("sha256").update("a host key").digest();

/** Join codes of all three lengths that base64 can end with. */
const hosts = ["db", "c.x", "4.ex", "petit.example.com", "2001:db8::1", "bücher.example"];

const codeFor = (host: string, port = 2222): JoinCode => ({
  secret: SECRET.toString("base64url"),
  hostKeyFingerprint: `SHA256:${HASH.toString("base64").replace(/=+$/, "")}`,
  host,
  port,
});

/** Bytes as the table in join_code.ts has them. */
function wordOf(version: number, host: string, port: number): string {
  const body = Buffer.concat([
    Buffer.from([version]),
    SECRET,
    HASH,
    Buffer.from([Math.floor(port / 256), port % 256]),
    Buffer.from(host, "utf8"),
  ]);
  const check = createHash("sha256").update(body).digest().subarray(0, 4);
  return `petit-${Buffer.concat([body, check]).toString("base64url")}`;
}

const INVALID = { name: "PetitError", code: "join-code-invalid", exitCode: 2 };

/** Decodes what must not decode, quickly: thousands of words are tried. */
function accepted(words: Iterable<string>): string[] {
  return [...words].filter((word) => {
    try {
      decodeJoinCode(word);
      return true;
    } catch {
      return false;
    }
  });
}

test("join code: its bytes are those of the documented table", () => {
  assert.equal(encodeJoinCode(codeFor("petit.example.com", 2222)), wordOf(1, "petit.example.com", 2222));
});

for (const host of hosts) {
  test(`join code: one that names ${host} says what went in`, () => {
    for (const port of [1, 22, 255, 256, 2222, 65535]) {
      assert.deepEqual(decodeJoinCode(encodeJoinCode(codeFor(host, port))), codeFor(host, port));
    }
  });

  test(`join code: one that names ${host} is refused with any one character changed`, () => {
    const word = encodeJoinCode(codeFor(host));
    function* changed() {
      for (let at = 0; at < word.length; at++) {
        for (const letter of ALPHABET) {
          if (letter !== word[at]) yield word.slice(0, at) + letter + word.slice(at + 1);
        }
      }
    }
    assert.deepEqual(accepted(changed()), []);
  });

  test(`join code: one that names ${host} is refused with characters missing at an end or in the middle`, () => {
    const word = encodeJoinCode(codeFor(host));
    const shortened = Array.from({ length: word.length }, (_, size) => word.slice(0, size));
    const holed = Array.from({ length: word.length }, (_, at) => word.slice(0, at) + word.slice(at + 1));
    assert.deepEqual(accepted([...shortened, ...holed, word.slice("petit-".length)]), []);
  });

  test(`join code: one that names ${host} is refused with a character too many, wherever it is`, () => {
    const word = encodeJoinCode(codeFor(host));
    function* lengthened() {
      for (let at = 0; at <= word.length; at++) {
        for (const letter of ["A", "g", "0", "-", "_"]) yield word.slice(0, at) + letter + word.slice(at);
      }
    }
    assert.deepEqual(accepted(lengthened()), []);
  });
}

test("join code: blanks and line ends around it are left out, as a paste brings them", () => {
  assert.deepEqual(decodeJoinCode(`  ${encodeJoinCode(codeFor("db"))}\r\n`), codeFor("db"));
});

for (
  const [name, text] of Object.entries({
    "an empty text": "",
    "the prefix alone": "petit-",
    "another word": "hello",
    "a code in upper case": encodeJoinCode(codeFor("db")).toUpperCase(),
    "a code with a blank inside": encodeJoinCode(codeFor("db")).replace(/^(.{20})/, "$1 "),
    "a code with padding": `${encodeJoinCode(codeFor("db"))}=`,
    "a code with characters of plain base64": "petit-AYn2+/AB",
    "a code without a host": wordOf(1, "", 22),
  })
) {
  test(`join code: ${name} is refused, and the reader told what one looks like`, () => {
    assert.throws(() => decodeJoinCode(text), { ...INVALID, message: /^This is not a join code: /, hint: /"petit-"/ });
  });
}

test("join code: one of another version is refused as that, and not as mistyped", () => {
  assert.throws(() => decodeJoinCode(wordOf(2, "db", 22)), {
    name: "PetitError",
    code: "join-code-version",
    exitCode: 2,
    message: /version 2/,
  });
});

test("join code: a refused code is not repeated in the message, since it may hold a secret", () => {
  const word = encodeJoinCode(codeFor("db"));
  const mistyped = `${word.slice(0, 30)}x${word.slice(31)}`;
  assert.throws(() => decodeJoinCode(mistyped), (error: Error & { hint: string }) => {
    assert.equal(`${error.message} ${error.hint}`.includes(mistyped.slice(10, 28)), false);
    return true;
  });
});

test("join code: secrets are 128 bits, different each time, and kept as a SHA-256", () => {
  const secrets = new Set(Array.from({ length: 100 }, newJoinSecret));
  assert.equal(secrets.size, 100);
  for (const secret of secrets) assert.equal(Buffer.from(secret, "base64url").length, 16);
  assert.equal(hashJoinSecret("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
