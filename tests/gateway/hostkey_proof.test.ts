import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import { readHostKey } from "../../src/server/host_key/host_key.ts";
import { GLOBAL_REQUEST, globalRequest, HOST_KEYS_PROVE, isProof } from "../../src/tunnel/host_keys.ts";
import { blobOf, generateKey, type PublicKey } from "../../src/tunnel/keys.ts";
import { type ConnectionInternals, sendMessage } from "../../src/tunnel/ssh_library.ts";
import { readStrings, sshString } from "../../src/tunnel/ssh_strings.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { type Scope, TestClient, TestServer } from "../world/world.ts";

/** A peer of another make, logged in to a server that is about to replace its host key, and what it can ask. */
async function rotatingServer(t: Scope) {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const file = server.config.server.ssh.hostKey;
  server.running.control.hostKeys.rotate();
  const current = readHostKey(file).publicKey;
  const next = readHostKey(`${file}.next`).publicKey;
  const peer = new SshPeer(t);
  const internals = peer.client as unknown as ConnectionInternals;
  assert.equal(await peer.login(server, client.registered.registeredId, [keyOf(client)]), "ready");
  /** What the server answers; undefined for a refusal. */
  const ask = (name: string, content: Buffer) =>
    new Promise<Buffer | undefined>((resolve) => {
      internals._callbacks?.push((failed, data) => resolve(failed ? undefined : Buffer.from(data ?? [])));
      sendMessage(internals, GLOBAL_REQUEST, globalRequest(name, true, content));
    });
  const prove = (...asked: PublicKey[]) =>
    ask(HOST_KEYS_PROVE, Buffer.concat(asked.map((key) => sshString(blobOf(key)))));
  const sessionId = () => internals._protocol._kex?.sessionID as Buffer;
  return { server, client, peer, current, next, ask, prove, sessionId };
}

test("a server proves all of its host keys; who asks for the current one too is not taken for keeping any", async (t) => {
  const { server, current, next, prove, sessionId } = await rotatingServer(t);
  const proofs = readStrings(await prove(next, current) as Buffer, 9) as Buffer[];
  assert.deepEqual(proofs.map((proof, index) => isProof(proof, index === 0 ? next : current, sessionId())), [
    true,
    true,
  ]);
  assert.equal(server.running.control.hostKeys.status().next?.aware, 0);
});

test("who asks for the next host key only is taken for keeping it", async (t) => {
  const { server, next, prove, sessionId } = await rotatingServer(t);
  const [proof, ...more] = readStrings(await prove(next) as Buffer, 9) as Buffer[];
  assert.equal(more.length, 0);
  assert.equal(isProof(proof as Buffer, next, sessionId()), true);
  assert.equal(isProof(proof as Buffer, next, Buffer.alloc(32)), false, "a proof is good for one session");
  assert.equal(server.running.control.hostKeys.status().next?.aware, 1);
});

test("a server signs for its own host keys only, and for nothing that is not a list of keys", async (t) => {
  const { server, peer, next, ask, prove } = await rotatingServer(t);
  const { publicKey: foreign } = generateKey("foreign");
  const key = sshString(blobOf(next));
  assert.equal(await prove(foreign), undefined);
  assert.equal(await prove(next, foreign), undefined);
  assert.equal(await prove(), undefined);
  for (
    const [what, content] of Object.entries({
      "the same key twice": Buffer.concat([key, key]),
      "a list that is cut off": key.subarray(0, 20),
      "a length beyond the message": Buffer.from([255, 255, 255, 255]),
      "empty keys": Buffer.alloc(400),
      "something after the list": Buffer.concat([key, Buffer.from("x")]),
      "a key of another length": sshString(Buffer.concat([blobOf(next), Buffer.from([0])])),
    })
  ) assert.equal(await ask(HOST_KEYS_PROVE, content), undefined, what);
  assert.equal(server.running.control.hostKeys.status().next?.aware, 0);
  assert.ok(await prove(next), "the connection goes on");
  peer.client.end();
});

test("answers come in the order of the requests, also where a forward takes longer than a proof", async (t) => {
  const { client, peer, next, ask, prove } = await rotatingServer(t);
  const port = client.registered.registeredPort;
  const answers: string[] = [];
  const forward = peer.forward("127.0.0.1", port).then((opened) => answers.push(`forward ${opened}`));
  const proof = prove(next).then((bytes) => answers.push(`proof ${bytes !== undefined}`));
  const refusal = ask("nothing@example.com", Buffer.alloc(0)).then((bytes) => answers.push(`other ${bytes}`));
  const again = prove(next).then((bytes) => answers.push(`proof ${bytes !== undefined}`));
  await Promise.all([forward, proof, refusal, again]);
  assert.deepEqual(answers, [`forward ${port}`, "proof true", "other undefined", "proof true"]);
});
