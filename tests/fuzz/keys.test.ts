import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import fc from "fast-check";
import { KnownHost } from "../../src/client/known_host.ts";
import { MODERN } from "../../src/config/ssh_algorithms.ts";
import { PetitError } from "../../src/error.ts";
import { sshKeyOfPem } from "../../src/registry/ssh_key_of_pem.ts";
import { describeKey, publicKeyOf, verifySignature } from "../../src/tunnel/keys.ts";
import { readPublicKey } from "../../src/tunnel/public_key_text.ts";
import { type ParsedKey, utils } from "../../src/tunnel/ssh_library.ts";
import { keptInputs } from "./world/corpus.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { chanceOf } from "./world/pieces.ts";

const folder = mkdtempSync(join(tmpdir(), "petit-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const SIGNED = Buffer.from("what is signed");
const ALGORITHMS = ["ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp521", "", "x"];
const HASHES = [undefined, "sha256", "sha512", "sha1", "md5", "x"];

const kept = new Map(keptInputs("keys").map(({ name, bytes }) => [name, bytes]));

/** A key of each kind: what a client's login holds, and the signature that goes with it. */
const good = (["ed25519", "rsa", "ecdsa"] as const).map((kind) => {
  const [pem, blob, signature] = ["private", "public", "signature"].map((part) =>
    kept.get(`${kind}_${part}`) as Buffer
  ) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const { type } = utils.parseKey(pem) as ParsedKey;
  const hash = kind === "rsa" ? "sha256" : undefined;
  assert.ok(verifySignature(type, blob, SIGNED, signature, hash));
  return { pem, blob, type, hash, signature };
});

const host = new KnownHost(folder);
const own = describeKey((good[0] as typeof good[number]).blob);
let turn = 0;

function check(bytes: Buffer): void {
  const chance = chanceOf(bytes);
  const one = <T>(list: readonly T[]) => list[Math.floor(chance() * list.length)] as T;
  // The input as a key, as a signature, and as both in one.
  const [key] = [one(good)];
  for (const [blob, signature] of [[bytes, key.signature], [key.blob, bytes], [bytes, bytes]] as const) {
    for (const algorithm of [key.type, one(ALGORITHMS)]) {
      const proven = verifySignature(algorithm, blob, SIGNED, signature, chance() < 0.7 ? key.hash : one(HASHES));
      if (proven) assert.deepEqual([blob, algorithm], [key.blob, key.type]);
    }
  }
  try {
    const { line, fingerprint } = describeKey(bytes);
    assert.match(fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
    // deno-lint-ignore no-control-regex
    assert.match(line, /^[^\x00-\x20\x7f-\xff]+ [A-Za-z0-9+/]*=*$/);
  } catch (error) {
    assert.ok(error instanceof PetitError && error.code === "key-invalid", String(error));
  }
  try {
    // Whatever is taken is a key by which somebody could log in, and is written in one way.
    const taken = readPublicKey(bytes, MODERN.pubkeyAcceptedAlgorithms);
    assert.deepEqual(readPublicKey(Buffer.from(taken.line), MODERN.pubkeyAcceptedAlgorithms), taken);
  } catch (error) {
    assert.ok(
      error instanceof PetitError && error.code.startsWith("key-") && error.message.length < 300,
      String(error),
    );
  }
  try {
    publicKeyOf(bytes);
  } catch (error) {
    assert.ok(error instanceof PetitError && error.code === "key-invalid", String(error));
  }
  try {
    sshKeyOfPem(bytes.toString("utf8"));
  } catch (error) {
    // The sentence is all that is told of it; its readers hold it against whatever was thrown.
    assert.ok(error instanceof Error && !(error instanceof TypeError) && !(error instanceof RangeError), String(error));
  }
  // A file costs more than all of the others together.
  if (turn++ % 8 === 0) checkKnownHosts(bytes);
}

function checkKnownHosts(bytes: Buffer): void {
  writeFileSync(join(folder, "known_hosts"), bytes);
  const known = bytes.toString("utf8").split("\n").some((line) =>
    line.trim().split(/\s+/).slice(0, 3).join(" ") === `h ${own.line}`
  );
  try {
    host.check("h", 22, own);
    assert.ok(known, "a key that is not pinned passed");
  } catch (error) {
    assert.ok(error instanceof PetitError && error.code.startsWith("host-key-"), String(error));
    assert.ok(!known);
  }
  for (const fingerprint of host.of("h", 22)) assert.equal(host.knows(fingerprint), true);
}

const sshString = (bytes: Buffer) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const blob = fc.tuple(fc.constantFrom(...ALGORITHMS), fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }))
  .map(([type, parts]) => Buffer.concat([Buffer.from(type), ...parts.map((part) => Buffer.from(part))].map(sshString)));

fuzzTest({
  name: "keys",
  seeds: [
    `h ${own.line}\n`,
    `# comment\n[h]:2222 ${own.line}\nh ${own.line} comment\n`,
    `${own.line} somebody@somewhere\n`,
    `---- BEGIN SSH2 PUBLIC KEY ----\nComment: "x"\n${own.line.split(" ")[1]}\n---- END SSH2 PUBLIC KEY ----\n`,
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n",
  ],
  words: [
    "-----BEGIN OPENSSH PRIVATE KEY-----\n",
    "-----END RSA PRIVATE KEY-----",
    "ssh-ed25519",
    "ssh-rsa",
    "h ",
    "\n",
    "PRIVATE KEY",
    "\0\0\0\0",
  ],
  made: [blob],
  short: 3000,
  batch: 1000,
  check,
});
