import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import { HOST_KEYS_PROVE, isProof } from "../../../src/tunnel/host_keys.ts";
import { HostKeysProof } from "../../../src/tunnel/host_keys_proof.ts";
import { blobOf, generateKey } from "../../../src/tunnel/keys.ts";
import { readStrings, sshString } from "../../../src/tunnel/ssh_strings.ts";

const KEY = generateKey("host");
const SESSION = Buffer.from("the session's id");
const PROOF = sshString(blobOf(KEY.publicKey));

/** The library's part, which answers a forward when the test says so and refuses all else at once, in the order of the requests. */
function library() {
  const sent: (Buffer | "done" | "refused")[] = [];
  const pending: ("done" | "refused" | undefined)[] = [];
  const protocol = {
    _kex: { sessionID: SESSION },
    requestSuccess: (data?: Buffer) => void sent.push(data ?? "done"),
    requestFailure: () => void sent.push("refused"),
    _packetRW: {
      write: { allocStart: 0, alloc: (size: number) => Buffer.alloc(size), finalize: (bytes: Buffer) => bytes },
    },
    _cipher: { encrypt() {} },
    _handlers: {
      GLOBAL_REQUEST(_self: unknown, name: string, wantReply: boolean, _data: unknown) {
        if (!wantReply) return;
        pending.push(name === "tcpip-forward" ? undefined : "refused");
        answer();
      },
    },
  };
  function answer(): void {
    while (pending[0] !== undefined) pending.shift() === "done" ? protocol.requestSuccess() : protocol.requestFailure();
  }
  const grant = () => {
    pending[pending.indexOf(undefined)] = "done";
    answer();
  };
  const proven: string[] = [];
  const proof = new HostKeysProof(
    { _protocol: protocol },
    () => [KEY],
    (keys) => proven.push(...keys.map(({ line }) => line)),
  );
  const ask = (name: string, data: Buffer = Buffer.alloc(0), wantReply = true) =>
    protocol._handlers.GLOBAL_REQUEST(undefined, name, wantReply, data);
  const kinds = () => sent.map((answer) => answer instanceof Buffer ? "proof" : answer);
  return { ask, grant, sent, kinds, proven, tell: () => proof.announce() };
}

test("proofs: one waits for the answers to the requests before it, and those after it for it", () => {
  const { ask, grant, kinds, sent, proven } = library();
  // The packet's memory is used again by the time that the answer can be given.
  const packet = Buffer.from(PROOF);
  ask("tcpip-forward");
  ask(HOST_KEYS_PROVE, packet);
  ask("keepalive@openssh.com");
  ask("tcpip-forward");
  ask(HOST_KEYS_PROVE, packet);
  packet.fill(0);
  assert.deepEqual(kinds(), []);
  grant();
  assert.deepEqual(kinds(), ["done", "proof", "refused"]);
  grant();
  assert.deepEqual(kinds(), ["done", "proof", "refused", "done", "proof"]);
  const [proof] = readStrings(sent[1] as Buffer, 1) as [Buffer];
  assert.equal(isProof(proof, KEY.publicKey, SESSION), true);
  assert.deepEqual(proven, [KEY.publicKey.line, KEY.publicKey.line]);
});

test("proofs: what is not to be answered is neither answered nor waited for", () => {
  const { ask, kinds, proven } = library();
  ask("tcpip-forward", undefined, false);
  ask(HOST_KEYS_PROVE, PROOF, false);
  ask(HOST_KEYS_PROVE, PROOF);
  assert.deepEqual(kinds(), ["proof"]);
  assert.equal(proven.length, 1);
});

test("proofs: requests that heap up behind an answer end the connection, before they cost much memory", () => {
  const { ask } = library();
  ask("tcpip-forward");
  let taken = 0;
  assert.throws(() => {
    for (; taken < 10_000; taken++) ask(HOST_KEYS_PROVE, PROOF);
  }, /more requests than/);
  assert.ok(taken >= 16 && taken <= 1000, `${taken} requests`);
});

test("proofs: who asks again and again is refused, until it is told of the keys again", () => {
  const { ask, kinds, tell } = library();
  for (let number = 0; number < 20; number++) ask(HOST_KEYS_PROVE, PROOF);
  const given = kinds().filter((kind) => kind === "proof").length;
  assert.ok(given >= 1 && given < 20, `${given} proofs`);
  assert.equal(kinds().length, 20, "each is answered");
  assert.equal(kinds().at(-1), "refused");
  tell();
  ask(HOST_KEYS_PROVE, PROOF);
  assert.equal(kinds().at(-1), "proof");
});

test("proofs: a thousand requests in a row are answered one by one", () => {
  const { ask, kinds } = library();
  for (let number = 0; number < 1000; number++) ask("keepalive@openssh.com");
  ask(HOST_KEYS_PROVE, PROOF);
  assert.equal(kinds().length, 1001);
});
