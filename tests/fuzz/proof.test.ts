import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { NO_AUDIT } from "../../src/audit/audit_event.ts";
import { PetitError } from "../../src/error.ts";
import { OnceAMinute } from "../../src/observe/once_a_minute.ts";
import { ProvenDialogue, type ProvenDialogueParts } from "../../src/server/openssh/proven_dialogue.ts";
import type { PlainPeer } from "../../src/server/plain_backchannel.ts";
import { describeKey } from "../../src/tunnel/keys.ts";
import { encodeMessage, MessageDecoder } from "../../src/tunnel/message_stream.ts";
import { PROOF_NAMESPACE } from "../../src/tunnel/messages.ts";
import { isSignedBy, signMessage } from "../../src/tunnel/sshsig.ts";
import { keptInputs } from "./world/corpus.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

const PROMPT = Buffer.from("what is signed");
const kept = new Map(keptInputs("keys").map(({ name, bytes }) => [name, bytes]));

/** A registered key of each kind that signs the same bytes in one way, and a signature in OpenSSH's format. */
const keys = ["ed25519", "rsa"].map((kind) => {
  const [pem, blob] = [kept.get(`${kind}_private`), kept.get(`${kind}_public`)] as [Buffer, Buffer];
  const signature = signMessage(pem, PROOF_NAMESPACE, PROMPT);
  assert.ok(isSignedBy(blob, PROOF_NAMESPACE, PROMPT, signature));
  return { blob, ...describeKey(blob), signature };
});

const parts = {
  routes: { ofKey: (fingerprint: string) => keys.filter((key) => key.fingerprint === fingerprint) },
  ...{ audit: NO_AUDIT, noise: new OnceAMinute(), log: { warn() {} } },
} as unknown as ProvenDialogueParts;

/** Nobody proves a key without its private half, whatever is said; and what was signed once is good for nothing else. */
async function check(bytes: Buffer): Promise<void> {
  for (const { blob, signature } of keys) {
    if (isSignedBy(blob, PROOF_NAMESPACE, PROMPT, bytes)) {
      assert.deepEqual(bytes.subarray(-64), signature.subarray(-64), "a signature that its key has not made");
    }
    if (isSignedBy(bytes, PROOF_NAMESPACE, PROMPT, signature)) assert.deepEqual(bytes, blob);
    assert.equal(isSignedBy(bytes, PROOF_NAMESPACE, PROMPT, bytes), false);
  }
  let raw: unknown[];
  try {
    raw = new MessageDecoder().take(bytes);
  } catch (error) {
    assert.ok(error instanceof PetitError, String(error));
    return;
  }
  let open = true;
  const said: { type?: unknown; prompt?: unknown; code?: unknown }[] = [];
  const connection = { say: (message: object) => Promise.resolve(void said.push(message)), finish: () => open = false };
  const proven = () => assert.fail("a proof that nobody could make");
  const dialogue = new ProvenDialogue(parts, { connection, proven, charge() {} } as unknown as PlainPeer);
  for (const message of raw) {
    if (!open) break;
    try {
      await dialogue.take(message);
    } catch (error) {
      assert.ok(error instanceof PetitError && error.message.length < 1024, String(error));
    }
  }
  for (const { type, prompt, code } of said) {
    if (type !== "error") assert.equal(type, "didProve1");
    if (type === "error") assert.equal(code, "asked-too-often");
    else assert.equal(Buffer.from(String(prompt), "base64").length, 32);
  }
  dialogue.closed();
}

const MESSAGES = keys.flatMap(({ line: publicKey, signature }) => [
  { type: "prove1", handshakeVersion: 2, publicKey },
  { type: "prove2", signature: signature.toString("base64") },
]);

const changed = fc.tuple(
  fc.constantFrom(...MESSAGES),
  fc.dictionary(fc.constantFrom(...MESSAGES.flatMap(Object.keys), "__proto__"), fc.jsonValue({ maxDepth: 3 })),
).map(([message, changes]) => encodeMessage({ ...message, ...changes }));

fuzzTest({
  name: "proof",
  seeds: [
    ...MESSAGES.map(encodeMessage),
    Buffer.concat(MESSAGES.map(encodeMessage)),
    ...keys.flatMap(({ blob, signature }) => [blob, signature]),
  ],
  words: [
    "\x03",
    "{",
    "}",
    '"',
    "null",
    "1e999",
    '"__proto__":',
    "SSHSIG",
    "ssh-ed25519",
    "rsa-sha2-256",
    "sha512",
    "\0\0\0\0",
  ],
  made: [changed, fc.array(changed, { maxLength: 30 }).map((all) => Buffer.concat(all))],
  short: 3000,
  check,
});
