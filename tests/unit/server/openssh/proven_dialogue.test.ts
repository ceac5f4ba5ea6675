import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test, { type TestContext } from "node:test";
import { NO_AUDIT } from "../../../../src/audit/audit_event.ts";
import { OnceAMinute } from "../../../../src/observe/once_a_minute.ts";
import { ProvenClients } from "../../../../src/server/openssh/proven_clients.ts";
import { ProvenDialogue, type ProvenDialogueParts } from "../../../../src/server/openssh/proven_dialogue.ts";
import { PlainConnection } from "../../../../src/server/plain_connection.ts";
import { generateKey } from "../../../../src/tunnel/keys.ts";
import { PROOF_NAMESPACE } from "../../../../src/tunnel/messages.ts";
import { signMessage } from "../../../../src/tunnel/sshsig.ts";
import { RawPeer } from "../../../world/raw_peer.ts";
import { socketPair } from "../../../world/socket_pair.ts";

const own = generateKey("own");

/** A server's dialogues with clients of which only one is registered; all of them share its log. */
function server() {
  const logged: string[] = [];
  const parts = {
    routes: { ofKey: (fingerprint: string) => fingerprint === own.publicKey.fingerprint ? [{ id: "1001" }] : [] },
    ...{ audit: NO_AUDIT, noise: new OnceAMinute(), clients: new ProvenClients(), onGone() {} },
    log: { warn: (_facts: object, sentence: string) => void logged.push(sentence) },
  } as unknown as ProvenDialogueParts;
  const connect = async (t: TestContext) => {
    const [near, far] = await socketPair(t);
    const shown = { charged: 0, proven: 0 };
    const connection: PlainConnection = new PlainConnection(near, "127.0.0.1", {
      onFirst: () =>
        new ProvenDialogue(
          parts,
          { connection, proven: () => void shown.proven++, charge: () => void shown.charged++ },
        ),
      onForeign: (what) => assert.fail(what),
      onFault: (error) => assert.fail(String(error)),
    });
    const peer = new RawPeer(far);
    const ask = async (message: object) => {
      peer.send(`${JSON.stringify(message)}\x03`);
      return JSON.parse((await peer.takeUntil("\x03")).slice(0, -1)) as {
        type: string;
        code?: string;
        prompt?: string;
      };
    };
    return { connection, peer, ask, shown };
  };
  return { connect, logged };
}

const prove = (publicKey: string) => ({ type: "prove1", handshakeVersion: 2, publicKey });

test("proof: a signature over the prompt proves a registered key", async (t) => {
  const { connect, logged } = server();
  const { ask, shown } = await connect(t);
  const { prompt = "" } = await ask(prove(own.publicKey.line));
  const signature = signMessage(own.privatePem, PROOF_NAMESPACE, Buffer.from(prompt, "base64")).toString("base64");
  assert.deepEqual(await ask({ type: "prove2", signature }), { type: "didProve2" });
  assert.deepEqual([shown, logged], [{ charged: 0, proven: 1 }, []]);
});

test("proof: one connection may try so often, and then it ends", async (t) => {
  const { peer, ask, shown } = await server().connect(t);
  for (let tries = 0; tries < 10; tries++) {
    assert.equal((await ask(prove(own.publicKey.line))).type, "didProve1");
    assert.equal((await ask({ type: "prove2", signature: "AAAA" })).code, "identity-unproven");
  }
  assert.equal((await ask(prove(own.publicKey.line))).code, "asked-too-often");
  assert.equal(await peer.closed, "end");
  assert.equal(shown.charged, 11);
});

test("proof: the log tells of so many strange keys, whatever their number", async (t) => {
  const { connect, logged } = server();
  for (let connections = 0; connections < 10; connections++) {
    const { ask, connection } = await connect(t);
    for (let keys = 0; keys < 15; keys++) {
      assert.equal((await ask(prove(generateKey("stranger").publicKey.line))).code, "identity-unproven");
    }
    connection.destroy();
  }
  assert.equal(logged.length, 51);
});
