import assert from "node:assert/strict";
import test from "node:test";
import { NO_AUDIT } from "../../../src/audit/audit_event.ts";
import { OnceAMinute } from "../../../src/observe/once_a_minute.ts";
import { Registrar, type RegistrarParts } from "../../../src/server/registrar.ts";
import { Tunnels } from "../../../src/server/tunnels.ts";
import { Channel, type ChannelLink, FULL_WINDOW } from "../../../src/tunnel/channel.ts";
import { encodeMessage } from "../../../src/tunnel/message_stream.ts";
import { HANDSHAKE_VERSION } from "../../../src/tunnel/messages.ts";

const PING = encodeMessage({ type: "ping1" });
const ANSWER = encodeMessage({ type: "didPing1" });

/** A backchannel; `window` bytes of answers may be sent to its client. */
function backchannel(window: number, parts: object = {}, join?: { hash: string | null }) {
  let answered = 0;
  let text = "";
  let granted = 0;
  let closed = false;
  const link: ChannelLink = {
    congested: false as const,
    paced: false,
    onceDrained() {},
    sendData(_recipient, data) {
      answered += data.length;
      if (answered < 1000) text += data.toString();
    },
    sendWindowAdjust: (_recipient, bytes) => void (granted += bytes),
    sendEof() {},
    sendClose: () => void (closed = true),
    violated: (what) => assert.fail(what),
  };
  const side = (size: number) => ({ id: 0, window: size, packetSize: 32_768, state: "open" as const });
  const channel = new Channel(link, side(FULL_WINDOW), side(window));
  const peer = { key: { fingerprint: "SHA256:a" }, join };
  new Registrar({ audit: NO_AUDIT, ...parts } as RegistrarParts).serve(channel, peer as never);
  return {
    send(pings: number, message = PING) {
      const bytes = Buffer.concat(new Array<Buffer>(pings).fill(message));
      channel.incoming.window -= bytes.length;
      channel.push(bytes);
    },
    read(bytes: number) {
      channel.outgoing.window += bytes;
      channel._chunkcb();
    },
    answered: () => answered,
    text: () => text,
    granted: () => granted,
    closed: () => closed,
  };
}

/** Until everything that can be done has been. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}

test("registrar: who does not read the answers may send no more than one window", async () => {
  const peer = backchannel(10 * ANSWER.length);
  const half = Math.ceil(FULL_WINDOW / 2 / PING.length);
  for (let sent = 0; sent < half; sent += 1000) peer.send(1000);
  await settled();
  assert.equal(peer.answered(), 10 * ANSWER.length);
  assert.equal(peer.granted(), 0);
  peer.read(FULL_WINDOW);
  await settled();
  assert.ok(peer.answered() > half * ANSWER.length, "all are answered in the end");
  assert.ok(peer.granted() > FULL_WINDOW / 2, "and more may be sent");
});

test("registrar: questions that come together are all answered, in their order", async () => {
  const peer = backchannel(FULL_WINDOW);
  peer.send(1);
  peer.send(100);
  peer.send(17);
  await settled();
  assert.equal(peer.answered(), 118 * ANSWER.length);
});

test("registrar: behind what is no message nothing is answered, and the channel ends though its client does not read", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const peer = backchannel(ANSWER.length + 1);
  peer.send(1);
  await settled();
  peer.send(1, Buffer.from("x\x03"));
  peer.send(5);
  await settled();
  assert.equal(peer.closed(), false);
  t.mock.timers.tick(10_000);
  assert.equal(peer.closed(), true);
  peer.read(FULL_WINDOW);
  await settled();
  assert.equal(peer.answered(), ANSWER.length + 1);
});

for (const [registration, hash] of [["closed", "h"], ["closed", null], ["join", null]] as const) {
  test(`registrar: "${registration}" holds for who logged in ${hash === null ? "without" : "with"} a join code before`, async () => {
    const peer = backchannel(FULL_WINDOW, { config: { registration } }, { hash });
    const vitae = { brand: "ce", version: "1" };
    peer.send(1, encodeMessage({ type: "register1", handshakeVersion: HANDSHAKE_VERSION, preferred: null, vitae }));
    await settled();
    assert.match(peer.text(), /"code":"registration-closed"/);
  });
}

test("registrar: a client says how its own services are to be probed, and nobody else's", async () => {
  const tunnels = new Tunnels();
  const vitae = { brand: "ce", version: "1" };
  const parts = {
    tunnels,
    config: { vitae: { environment: "", endpoint: "http://REGID" } },
    routes: { ofKey: () => [{ id: "1001", port: 11081, vitae }] },
  };
  const services = { "1001": { probe: "mysql", host: "db" }, "1002": { probe: "/evil", host: "db" } };
  const peer = backchannel(FULL_WINDOW, parts);
  peer.send(1, encodeMessage({ type: "handshake1", handshakeVersion: HANDSHAKE_VERSION, vitae, services }));
  await settled();
  assert.match(peer.text(), /"type":"shakehand1"/);
  assert.deepEqual(tunnels.wishOf("1001"), { probe: "mysql", host: "db" });
  assert.equal(tunnels.wishOf("1002"), undefined);
  // A client of before says nothing of it.
  peer.send(1, encodeMessage({ type: "handshake1", handshakeVersion: HANDSHAKE_VERSION, vitae }));
  await settled();
  assert.deepEqual(tunnels.wishOf("1001"), { probe: "mysql", host: "db" });
});

test("registrar: only who is registered says which host keys it knows, and a list that makes no sense keeps nobody away", async () => {
  const told: unknown[] = [];
  const vitae = { brand: "ce", version: "1" };
  let own = [{ id: "1001", port: 11081, vitae }];
  const parts = {
    tunnels: new Tunnels(),
    config: { vitae: { environment: "", endpoint: "http://REGID" } },
    routes: { ofKey: () => own },
    onHostKeys: (...args: unknown[]) => told.push(args),
  };
  const peer = backchannel(FULL_WINDOW, parts);
  const say = async (hostKeys?: unknown) => {
    peer.send(1, encodeMessage({ type: "handshake1", handshakeVersion: HANDSHAKE_VERSION, vitae, hostKeys }));
    await settled();
  };
  await say(["SHA256:a", "SHA256:b"]);
  await say();
  await say(new Array(65).fill("SHA256:a"));
  await say("SHA256:a");
  assert.deepEqual(told, [["SHA256:a", ["SHA256:a", "SHA256:b"]]]);
  assert.equal(peer.text().match(/shakehand1/g)?.length, 4);
  own = [];
  await say(["SHA256:a"]);
  assert.equal(told.length, 1);
});

test("registrar: the version is looked at before anything else of a message, and the operator is told who is behind", async () => {
  const warned: string[] = [];
  const log = { warn: (_facts: object, text: string) => warned.push(text) };
  const peer = backchannel(FULL_WINDOW, { log, noise: new OnceAMinute() });
  const refusals = [
    { type: "handshake1", handshakeVersion: 3, vitae: { version: "2.0.0", brand: ["another shape"] } },
    { type: "greeting1", handshakeVersion: 3, sealed: true },
    { type: "unregister1", handshakeVersion: 1 },
  ];
  for (const message of refusals) peer.send(1, encodeMessage(message));
  peer.send(1);
  await settled();
  const answers = peer.text().split("\x03").slice(0, -1).map((text) => JSON.parse(text));
  assert.deepEqual(answers.map(({ code }) => code), [...Array(3).fill("version-refused"), undefined]);
  assert.match(answers[0].error, /^The client \(petit 2\.0\.0\) speaks version 3 .*upgrade the server$/);
  assert.match(answers[2].error, /upgrade the client$/);
  assert.equal(answers[3].type, "didPing1");
  assert.deepEqual(warned, [`A client was refused: ${answers[0].error}`], "once a minute");
});

test("registrar: a message that only a later client has is answered as such, and what comes after it as ever", async () => {
  const peer = backchannel(FULL_WINDOW);
  for (
    const message of [
      { type: "weather1", handshakeVersion: HANDSHAKE_VERSION },
      { type: "toString" },
      { type: "probe1" },
      { type: 7 },
      {},
      { type: "ping1", more: { deep: [1] } },
    ]
  ) peer.send(1, encodeMessage(message));
  await settled();
  const answers = peer.text().split("\x03").slice(0, -1).map((text) => JSON.parse(text));
  assert.deepEqual(answers.map(({ type, code }) => code ?? type), [
    ...["message-unknown", "message-unknown", "message-invalid", "message-invalid", "message-invalid", "didPing1"],
  ]);
});

test("registrar: what belongs to a backchannel through sshd is refused with the way out", async () => {
  const peer = backchannel(FULL_WINDOW);
  peer.send(1, encodeMessage({ type: "release1", registeredId: "1001" }));
  await settled();
  const [answer] = peer.text().split("\x03").slice(0, -1).map((text) => JSON.parse(text));
  assert.equal(answer.code, "not-here");
  assert.match(answer.error, /^"release1" is for a backchannel through the system's sshd .* by registering again /);
});
