import assert from "node:assert/strict";
import test from "node:test";
import { ALGORITHMS, MODERN } from "../../../src/config/ssh_algorithms.ts";
import { PetitError } from "../../../src/error.ts";
import { readPublicKey } from "../../../src/tunnel/public_key_text.ts";
import { ENCRYPTED_KEY, VECTORS } from "./ssh_keygen_vectors.ts";

const accepted = MODERN.pubkeyAcceptedAlgorithms;
const [ed25519, ecdsa, rsa] = VECTORS;
const read = (text: string | Buffer, algorithms: readonly string[] = accepted) =>
  readPublicKey(Buffer.from(text as string), algorithms);
const base64Of = (line: string) => line.split(" ")[1] as string;

/** The error of a text that is refused. */
function refused(text: string | Buffer): PetitError {
  try {
    read(text);
  } catch (error) {
    assert.ok(error instanceof PetitError, String(error));
    assert.equal(error.exitCode, 2);
    assert.ok(error.hint !== undefined);
    return error;
  }
  throw new Error("It was taken");
}

for (const { name, line, fingerprint } of [ed25519, rsa]) {
  test(`public key: ${name} as one line, with and without a comment and what editors add`, () => {
    for (
      const text of [
        line,
        `${line}\n`,
        `${line} somebody@somewhere with spaces\r\n`,
        `\ufeff${line}\n`,
        `# a comment\n\n  ${line.replace(" ", "\t")}  \n\n`,
      ]
    ) {
      assert.deepEqual(read(text), { line, fingerprint });
    }
  });

  test(`public key: ${name} in RFC 4716, with headers, and in UTF-16 as PowerShell writes it`, () => {
    const lines = base64Of(line).match(/.{1,70}/g)?.join("\n");
    const headers = 'Comment: "a key, with: colons"\nx-long: goes on\\\n and on\\\nAAAA\n';
    const text = `---- BEGIN SSH2 PUBLIC KEY ----\n${headers}${lines}\n---- END SSH2 PUBLIC KEY ----\n`;
    assert.deepEqual(read(text), { line, fingerprint });
    assert.deepEqual(read(text.replaceAll("\n", "\r\n")), { line, fingerprint });
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(`${line}\r\n`, "utf16le")]);
    assert.deepEqual(readPublicKey(utf16, accepted), { line, fingerprint });
  });
}

test("public key: ECDSA only where the operator has added it", () => {
  const { code, message, hint } = refused(ecdsa.line);
  assert.equal(code, "key-type-refused");
  assert.match(message, /"ecdsa-sha2-nistp256" are not in \[server\.ssh\] pubkeyAcceptedAlgorithms/);
  assert.match(hint as string, /"\+ecdsa-sha2-nistp256"/);
  const { line, fingerprint } = ecdsa;
  assert.deepEqual(read(line, ALGORITHMS.pubkeyAcceptedAlgorithms.more), { line, fingerprint });
});

test("public key: a private one is refused, and not repeated", () => {
  const putty =
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 2\nAAAA\nPrivate-Lines: 1\nU0VDUkVU\n";
  for (const text of [ed25519.privatePem, ENCRYPTED_KEY, putty, `x\n${ed25519.privatePem}`]) {
    const { code, message, hint } = refused(text);
    assert.equal(code, "key-private");
    for (const line of text.split("\n").filter((line) => line.length > 8)) {
      assert.ok(!`${message}${hint}`.includes(line));
    }
  }
});

const blobOf = (...parts: (string | Buffer)[]) =>
  Buffer.concat(parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(part.length);
    return [length, Buffer.from(part as string)];
  })).toString("base64");

const shortRsa = blobOf("ssh-rsa", Buffer.from([1, 0, 1]), Buffer.concat([Buffer.from([0]), Buffer.alloc(128, 0xd3)]));
const kinds: [what: string, line: string, code: string, sentence: RegExp][] = [
  ["RSA of 1024 bits", `ssh-rsa ${shortRsa}`, "key-too-short", /2048 bits/],
  ["DSA", `ssh-dss ${blobOf("ssh-dss", "p", "q", "g", "y")}`, "key-type-refused", /DSA/],
  [
    "a certificate",
    `ssh-ed25519-cert-v01@openssh.com ${blobOf("ssh-ed25519-cert-v01@openssh.com", "n", Buffer.alloc(32))}`,
    "key-type-refused",
    /certificate/,
  ],
  [
    "a security key",
    `sk-ssh-ed25519@openssh.com ${blobOf("sk-ssh-ed25519@openssh.com", Buffer.alloc(32, 7), "ssh:")}`,
    "key-type-refused",
    /security key/,
  ],
  ["an unknown kind", `ssh-x ${blobOf("ssh-x", "k")}`, "key-type-refused", /"ssh-x" are not in/],
  ["another kind than it says", `ssh-rsa ${base64Of(ed25519.line)}`, "key-invalid", /of another/],
  ["ed25519 that is too short", `ssh-ed25519 ${blobOf("ssh-ed25519", Buffer.alloc(31, 7))}`, "key-invalid", /damaged/],
  [
    "ed25519 with bytes behind it",
    `ssh-ed25519 ${blobOf("ssh-ed25519", Buffer.alloc(32, 7), "x")}`,
    "key-invalid",
    /./,
  ],
  ["nothing", "", "key-invalid", /nothing in it/],
  ["white space", " \n\t\n", "key-invalid", /nothing in it/],
  ["words", "hello world", "key-invalid", /damaged|not one line/],
  ["the base64 alone", base64Of(ed25519.line), "key-invalid", /not one line/],
  [
    "an end that is missing",
    `---- BEGIN SSH2 PUBLIC KEY ----\n${base64Of(ed25519.line)}`,
    "key-invalid",
    /end is missing/,
  ],
  ["two keys", `${ed25519.line}\n${rsa.line}\n`, "key-invalid", /2 lines/],
  ["options", `restrict,command="x" ${ed25519.line}`, "key-invalid", /authorized_keys/],
  ["too much", `${ed25519.line} ${"x".repeat(100_000)}`, "key-invalid", /longer than any key/],
  ["too much base64", `ssh-rsa ${"A".repeat(20_000)}`, "key-invalid", /longer than any key/],
  ["zero bytes", "\0".repeat(500), "key-invalid", /./],
];
for (const [what, line, expected, sentence] of kinds) {
  test(`public key: ${what} is refused with a sentence`, () => {
    const { code, message } = refused(line);
    assert.equal(code, expected, message);
    assert.match(message, sentence);
  });
}

test("public key: one that is damaged anywhere is refused, or is another whole one", () => {
  const { line } = ed25519;
  for (let at = 0; at < line.length; at++) {
    for (
      const damaged of [
        line.slice(0, at),
        line.slice(0, at) + line.slice(at + 1),
        `${line.slice(0, at)}!${line.slice(at + 1)}`,
      ]
    ) {
      try {
        const { line: taken } = read(damaged);
        assert.equal(taken.length, line.length, damaged);
      } catch (error) {
        assert.ok(error instanceof PetitError && error.code.startsWith("key-"), String(error));
      }
    }
  }
});
