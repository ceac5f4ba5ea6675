import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { PetitError } from "../../../src/error.ts";
import { type Patience, PlainConnection, type PlainDialogue } from "../../../src/server/plain_connection.ts";
import { RawPeer } from "../../world/raw_peer.ts";
import { socketPair } from "../../world/socket_pair.ts";

/** A connection whose dialogue says what it is told, and what was told of it. */
async function connection(t: TestContext, patience?: Partial<Patience>, take?: (message: unknown) => Promise<void>) {
  const [near, far] = await socketPair(t);
  const told: string[] = [];
  const dialogue: PlainDialogue = {
    take: take ?? (async (message) => {
      await plain.say({ said: message });
    }),
    closed: () => void told.push("closed"),
  };
  const plain = new PlainConnection(near, "192.0.2.1", {
    onFirst: () => dialogue,
    onForeign: (what, slow) => void told.push(`foreign ${what} ${slow}`),
    onFault: (error) => void told.push(`fault ${String(error)}`),
  }, { unproven: 60_000, proven: 60_000, ending: 10_000, ...patience });
  return { plain, peer: new RawPeer(far), told, near, far };
}

const MESSAGE = '{"type":"x"}\x03';

test("plain connection: one that says nothing is closed without a word, and told of", async (t) => {
  const { peer, told } = await connection(t, { unproven: 30, proven: 1000 });
  assert.equal(await peer.closed, "end");
  assert.deepEqual([peer.received, told[0]], ["", "foreign nothing true"]);
});

test("plain connection: bytes that make no message are silence too", async (t) => {
  const { peer, told } = await connection(t, { unproven: 50, proven: 1000 });
  peer.send('{"type":');
  assert.equal(await peer.closed, "end");
  assert.equal(peer.received, "");
  assert.deepEqual(told.filter((what) => what.startsWith("fault")), []);
});

test("plain connection: who has proven something may be silent for longer", async (t) => {
  const { peer, plain } = await connection(t, { unproven: 50, proven: 60_000 });
  plain.proven();
  await new Promise((resolve) => setTimeout(resolve, 150));
  peer.send(MESSAGE);
  assert.match(await peer.takeUntil("\x03"), /said/);
});

test("plain connection: messages are answered one after the other", async (t) => {
  let running = 0;
  const { peer, plain } = await connection(t, undefined, async (message) => {
    assert.equal(++running, 1);
    await new Promise(setImmediate);
    running--;
    await plain.say({ said: message });
  });
  peer.send(MESSAGE.repeat(50)).end();
  await peer.closed;
  assert.equal(peer.received.split("\x03").length, 51, "also those of a peer that has ended its direction");
});

test("plain connection: what its dialogue throws is said, and a fault of petit's own is told of and not said", async (t) => {
  const errors = [new PetitError("some-code", "A sentence"), new Error("a secret")];
  const { peer, told } = await connection(t, undefined, () => Promise.reject(errors.shift()));
  peer.send(MESSAGE.repeat(2));
  assert.deepEqual(JSON.parse((await peer.takeUntil("\x03")).slice(0, -1)), {
    ...{ type: "error", code: "some-code", error: "A sentence" },
  });
  assert.doesNotMatch(await peer.takeUntil("\x03"), /secret/);
  assert.deepEqual(told, ["fault Error: a secret"]);
});

test("plain connection: behind what is no message nothing is read, and it ends though its peer does not read", async (t) => {
  // The dialogue waits for ever, as one does whose answer is not read.
  let taken = () => {};
  const begun = new Promise<void>((resolve) => taken = resolve);
  const { peer, near } = await connection(t, { ending: 200 }, () => new Promise(() => taken()));
  peer.send(MESSAGE);
  await begun;
  peer.send("x\x03");
  for (let sent = 0; sent < 200; sent++) peer.send("x\x03".repeat(16_384));
  await peer.closed;
  assert.ok(near.bytesRead < 2 * 1024 * 1024, `${near.bytesRead} of 6.5 MB were read`);
});
