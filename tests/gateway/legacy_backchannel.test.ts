import assert from "node:assert/strict";
import test from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { sshKeyOfPem } from "../../src/registry/ssh_key_of_pem.ts";
import { eventually } from "../world/eventually.ts";
import { legacyKeyPair, LegacyPeer, legacyTestServer, responseTo } from "../world/legacy_peer.ts";
import { TestClient, TestServer } from "../world/world.ts";

const one = legacyKeyPair();
const other = legacyKeyPair();

test("a client of 0.6 registers, shakes hands and unregisters with the messages of version 1", async (t) => {
  const server = await legacyTestServer(t).start();
  const peer = new LegacyPeer(t, server);
  assert.deepEqual(await peer.ask("ping1"), { type: "didPing1" });
  assert.deepEqual(await peer.ask("check1", { vitae: {} }), { type: "didCheck1", patch: { update: false } });
  assert.match((await peer.ask("upgrade1", { id: 1, version: "9" })).error, /no upgrade/);
  const { registeredId: id, registeredPort: port, type } = await peer.register(one.publicKey);
  assert.deepEqual([type, id], ["didRegister1", "1001"]);
  peer.say("register2");
  const first = await peer.ask("handshake1", { registeredId: [id] });
  assert.deepEqual([first.type, first.replacement], ["shakehand1", []]);
  assert.equal(Buffer.from(first.prompt, "base64").length, 256);
  const response = responseTo(first.prompt, one.privateKey);
  assert.equal(Buffer.from(response, "base64").length, 50);
  const second = await peer.ask("handshake2", { registeredId: [id], response });
  assert.deepEqual([second.type, second.bindPort], ["shakehand2", port]);
  const { environment, endpoint, ip, version } = second.vitae;
  assert.deepEqual([environment, endpoint, ip], ["local", "http://REGID.localhost:8090", "127.0.0.1"]);
  assert.ok(version);
  peer.say("handshake3", { vitae: { brand: "acme", hostname: "h", version: "0.6.34", more: { than: "known" } } });
  assert.equal((await peer.ask("ping1")).type, "didPing1");
  const { vitae, brand, old } = server.running.control.statusOf(id);
  assert.deepEqual([vitae, brand, old], [{ brand: "acme", hostname: "h", version: "0.6.34" }, "acme", true]);
  const asked = await new LegacyPeer(t, server).ask("handshake1", { registeredId: id });
  assert.equal(asked.type, "shakehand1", "one id need not be a list");
  assert.deepEqual(asked.replacement, [], "that somebody has it is told nobody who has proven nothing");
  const leaving = new LegacyPeer(t, server);
  const { prompt } = await leaving.ask("unregister1", { registeredId: id });
  const gone = await leaving.ask("unregister2", { registeredId: id, response: responseTo(prompt, one.privateKey) });
  assert.equal(gone.type, "didUnregister2");
  leaving.say("unregister3");
  assert.match((await leaving.ask("handshake1", { registeredId: [id] })).error, new RegExp(`no registration "${id}"`));
  const events = server.running.audit?.latest(100).map(({ event }) => event) ?? [];
  assert.ok(events.includes("registration-made") && events.includes("registration-removed"));
});

test("each registration of 0.6 is a new one; one whose answer was lost, or that is asked for, is the same", async (t) => {
  const server = await legacyTestServer(t).start();
  const first = await new LegacyPeer(t, server).register(one.publicKey);
  assert.equal((await new LegacyPeer(t, server).register(one.publicKey)).registeredId, first.registeredId);
  const peer = new LegacyPeer(t, server);
  await peer.register(one.publicKey);
  assert.equal((await peer.say("register2").ask("ping1")).type, "didPing1");
  const second = await new LegacyPeer(t, server).register(one.publicKey);
  assert.notEqual(second.registeredId, first.registeredId);
  const { registeredId: id, registeredPort: port } = first;
  assert.equal((await peer.register(one.publicKey, { id, port })).registeredId, id);
  assert.equal((await peer.register(one.publicKey, { id })).registeredId, id, "without its port, as after a healing");
  const third = await peer.register(other.publicKey, { id, port });
  assert.notEqual(third.registeredId, id, "another key's");
  assert.notEqual(third.registeredPort, port);
  const both = await new LegacyPeer(t, server).handshake(one.privateKey, id, second.registeredId);
  assert.deepEqual(both.bindPort, [port, second.registeredPort]);
  for (const { legacy } of openRegistry(server.config.server.registryUrl).registrations()) assert.equal(legacy, true);
});

test("who cannot prove its key gets nothing, and is told why", async (t) => {
  const server = await legacyTestServer(t, 'registration = "open"', 'perSourcePenalty = "0s"').start();
  const { registeredId: id } = await new LegacyPeer(t, server).register(one.publicKey);
  const { registeredId: foreign } = await new LegacyPeer(t, server).register(other.publicKey);
  let peer = new LegacyPeer(t, server);
  const refused = async (type: string, more: object, code: string) => {
    const answer = await peer.ask(type, more);
    assert.deepEqual([answer.type, answer.code], ["error", code], `${type} ${JSON.stringify(more)}`);
    return answer.error;
  };
  await refused("handshake2", { response: "" }, "identity-unproven");
  await refused("handshake3", { vitae: {} }, "message-invalid");
  const { prompt } = await peer.ask("handshake1", { registeredId: [id] });
  const response = responseTo(prompt, one.privateKey);
  await refused("unregister2", { response }, "identity-unproven");
  await refused("handshake2", { response }, "identity-unproven");
  await peer.ask("handshake1", { registeredId: [id] });
  await refused("handshake2", { response }, "identity-unproven");
  await peer.ask("handshake1", { registeredId: [id] });
  await refused("handshake2", { response: "?" }, "identity-unproven");
  const mixed = await peer.ask("handshake1", { registeredId: [id, foreign] });
  assert.equal(mixed.type, "shakehand1", "whose they are is told nobody who has proven nothing");
  await refused("handshake2", { response: responseTo(mixed.prompt, one.privateKey) }, "keys-differ");
  const unproven = await peer.ask("handshake1", { registeredId: [foreign, id] });
  assert.equal(unproven.type, "shakehand1");
  await refused("handshake2", { response: "AAAA" }, "identity-unproven");
  await refused("handshake1", { registeredId: [id, id] }, "registration-twice");
  peer = new LegacyPeer(t, server);
  for (const registeredId of [["9999"], ["no id"], [null], [{}], {}, null, [], "x".repeat(100), [-1], ["__proto__"]]) {
    await refused("handshake1", { registeredId }, "registration-unknown");
  }
  assert.equal((await peer.handshake(one.privateKey, Number(id))).type, "shakehand2", "a number is an id");
  assert.equal(server.running.control.statusOf(id).connected, false);
});

test("keys with which nothing is proven are not registered", async (t) => {
  const server = await legacyTestServer(t).start();
  const peer = new LegacyPeer(t, server);
  for (
    const [key, why] of [
      [legacyKeyPair(1024).publicKey, /The key has 1024 bits, and wanted is an RSA key of 2048/],
      ["no key", /cannot be read/],
      [one.privateKey.export({ type: "pkcs8", format: "pem" }) as string, /private key/],
    ] as const
  ) {
    const { code, error } = await peer.register(key);
    assert.equal(code, "key-refused");
    assert.match(error, why);
  }
  assert.equal([...openRegistry(server.config.server.registryUrl).registrations()].length, 0);
});

test('unless registration is "open", only those that are registered already come over the plain backchannel', async (t) => {
  const server = await legacyTestServer(t).start();
  const { registeredId: id } = await new LegacyPeer(t, server).register(one.publicKey);
  for (const registration of ["join", "closed"] as const) {
    server.config.server.registration = registration;
    const peer = new LegacyPeer(t, server);
    const { code, error } = await peer.register(other.publicKey);
    assert.equal(code, "registration-closed");
    assert.match(error, new RegExp(`registration is "${registration}".*"open".*petit server import.*join code`));
    assert.equal((await peer.register(one.publicKey, { id })).registeredId, id);
    assert.equal((await peer.handshake(one.privateKey, id)).type, "shakehand2");
  }
});

test("a key of a client that speaks a newer version does not come over the plain backchannel", async (t) => {
  const server = await legacyTestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const peer = new LegacyPeer(t, server);
  const { code } = await peer.ask("handshake1", { registeredId: [client.registered.registeredId] });
  assert.equal(code, "registration-unknown");
  const registry = openRegistry(server.config.server.registryUrl);
  t.after(() => registry.close());
  const { line: key, fingerprint } = sshKeyOfPem(one.publicKey);
  registry.register({
    ...{ key, fingerprint, tenant: "default", preferred: null, joinHash: null },
    ...{ vitae: { brand: "ce", version: "1" }, port: registry.nextPort(), now: Date.now() },
  });
  const id = registry.registrations().find((known) => known.fingerprint === fingerprint)?.id as string;
  await eventually("the server knows of it", () => server.running.control.status().connections.length === 2);
  assert.equal((await peer.register(one.publicKey)).code, "key-refused");
  assert.equal((await peer.ask("handshake1", { registeredId: [id] })).code, "registration-unknown");
});

test("a newer handshake for the same id ends the older connection", async (t) => {
  const server = await legacyTestServer(t).start();
  const { registeredId: id } = await new LegacyPeer(t, server).register(one.publicKey);
  const older = new LegacyPeer(t, server);
  await older.handshake(one.privateKey, id);
  const newer = new LegacyPeer(t, server);
  assert.equal((await newer.handshake(one.privateKey, id)).type, "shakehand2");
  assert.equal(await older.closed, "end");
  assert.match((await server.logged(({ code }) => code === "taken-over")).msg, /has the same key and is disconnected/);
  assert.equal((await newer.ask("ping1")).type, "didPing1");
});

test("another version of the backchannel is refused before it is used", async (t) => {
  const server = await legacyTestServer(t).start();
  const peer = new LegacyPeer(t, server);
  for (const handshakeVersion of [0, 2, "1", null]) {
    const { code } = await peer.ask("register1", { handshakeVersion, publicKey: one.publicKey });
    assert.equal(code, handshakeVersion === null ? undefined : "version-refused");
  }
});

test("what is no message of 0.6 is refused, and the server goes on", async (t) => {
  const server = await legacyTestServer(t, 'registration = "open"', 'perSourcePenalty = "0s"').start();
  const peer = new LegacyPeer(t, server);
  for (const type of ["toString", "didPing1", "handshake9", ""]) {
    assert.equal((await peer.ask(type)).code, "message-invalid");
  }
  assert.equal((await peer.ask("prove1")).code, "message-invalid", "it comes first, or not at all");
  const elsewhere = await new LegacyPeer(t, server).ask("prove1");
  assert.equal(elsewhere.code, "not-here");
  assert.match(
    String(elsewhere.error),
    /mode = "openssh", and this one has "embedded".* port \d+, and .* registering again$/,
  );
  const broken = new LegacyPeer(t, server);
  broken.send('{"type":\x03');
  assert.equal((await broken.answer()).code, "message-invalid");
  assert.equal(await broken.closed, "end");
  const endless = new LegacyPeer(t, server);
  endless.send(`{"type":"${"x".repeat(70_000)}`);
  assert.equal((await endless.answer()).code, "message-invalid");
  assert.equal(await endless.closed, "end");
  for (
    const [kind, bytes] of [
      ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
      ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"],
      ["SSH", "SSH-2.0-OpenSSH_9.2\r\n"],
      ["another protocol", "\x00\x01\x02\x03"],
    ] as const
  ) {
    for (let times = 0; times < 3; times++) {
      const stranger = new LegacyPeer(t, server).send(bytes);
      await stranger.closed;
      assert.equal(stranger.received, "");
    }
    const told = server.log.filter(({ code, msg }) =>
      code === "backchannel-foreign" && msg.includes(` spoke ${kind},`)
    );
    assert.equal(told.length, 1, kind);
  }
  await peer.sendApart(["{", '"type":', '"ping1"', "}\x03{}\x03", '{"type":"ping1"}\x03']);
  assert.deepEqual([(await peer.answer()).type, (await peer.answer()).code], ["didPing1", "message-invalid"]);
  assert.equal((await peer.answer()).type, "didPing1");
  assert.deepEqual(server.log.filter(({ code }) => code === "internal"), []);
});

test("who does not read its answers is not listened to", async (t) => {
  const server = await legacyTestServer(t).start();
  const peer = new LegacyPeer(t, server);
  peer.socket.pause();
  const pings = '{"type":"ping1"}\x03'.repeat(10_000);
  let written = 0;
  // Until the server takes no more: its buffers and this machine's hold a few MB.
  while (written < 100_000_000) {
    const taken = await Promise.race([
      new Promise<true>((resolve) => peer.socket.write(pings, () => resolve(true))),
      new Promise<false>((resolve) => setTimeout(resolve, 1000, false)),
    ]);
    if (!taken) break;
    written += pings.length;
  }
  assert.ok(written < 50_000_000, `${written} bytes were taken`);
  assert.equal((await new LegacyPeer(t, server).ask("ping1")).type, "didPing1");
});

test("nothing listens for clients of 0.6 unless legacyBackchannel is set", async (t) => {
  const server = await new TestServer(t, "backPort = 0").start();
  assert.equal(server.running.backPort, undefined);
});

test("strangers on the plain backchannel are bounded and throttled like logins", async (t) => {
  const server = await legacyTestServer(t, 'registration = "open"', "perSourceMaxStartups = 3").start();
  const { registeredId: id } = await new LegacyPeer(t, server).register(one.publicKey);
  const client = new LegacyPeer(t, server);
  await client.handshake(one.privateKey, id);
  const silent = Array.from({ length: 3 }, () => new LegacyPeer(t, server));
  for (const peer of silent) assert.equal((await peer.ask("ping1")).type, "didPing1");
  const more = new LegacyPeer(t, server);
  await more.closed;
  assert.equal((await client.ask("ping1")).type, "didPing1", "who has proven its key stays");
});

test("who fails again and again is closed at accept", async (t) => {
  const server = await legacyTestServer(t, 'registration = "open"', 'perSourcePenaltyMin = "10s"').start();
  let refused = 0;
  for (let times = 0; times < 10 && refused === 0; times++) {
    const peer = new LegacyPeer(t, server);
    const answer = peer.ask("handshake1", { registeredId: ["1"] }).then(() => 0, () => 1);
    refused += await answer;
    peer.socket.destroy();
    await peer.closed;
  }
  assert.equal(refused, 1);
  await server.logged(({ code }) => code === "login-throttled");
});

test("one connection asks for so much, and then it ends", async (t) => {
  const server = await legacyTestServer(t).start();
  const { registeredId } = await new LegacyPeer(t, server).register(one.publicKey);
  const peer = new LegacyPeer(t, server);
  for (let times = 0; times < 20; times++) assert.ok((await peer.ask("handshake1", { registeredId })).prompt);
  assert.equal((await peer.ask("handshake1", { registeredId })).code, "asked-too-often");
  assert.equal(await peer.closed, "end");
});

test("a host key can be replaced while there are clients of 0.6, which look at none", async (t) => {
  const server = await legacyTestServer(t).start();
  await new LegacyPeer(t, server).register(one.publicKey);
  const { hostKeys } = server.running.control;
  hostKeys.rotate();
  assert.deepEqual(hostKeys.status().next?.unaware, []);
  assert.deepEqual(hostKeys.finish(false).unaware, []);
});
