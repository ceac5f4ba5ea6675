import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import test, { type TestContext } from "node:test";
import { MODERN } from "../../src/config/ssh_algorithms.ts";
import type { Channel } from "../../src/tunnel/channel.ts";
import { generateKey } from "../../src/tunnel/keys.ts";
import { RekeyWatch } from "../../src/tunnel/rekey.ts";
import { Client, Server } from "../../src/tunnel/ssh_library.ts";
import { createSshServer, type SshServerConnection } from "../../src/tunnel/ssh_server.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { makeWorld, TestClient, TestServer } from "../world/world.ts";

const MIB = 1024 * 1024;

/** What is looked at of the library's connections. */
interface Exchanging {
  readonly _protocol: { rekey(): void; _kexinit: unknown; _queue?: unknown[] };
  on(event: "rekey", call: () => void): void;
}

/** Both ends of all connections, which are not handed out: found where they are made. */
function findConnections(t: TestContext): { servers: Exchanging[]; clients: Exchanging[] } {
  const servers: Exchanging[] = [];
  const clients: Exchanging[] = [];
  const { emit } = Server.prototype;
  Server.prototype.emit = function (this: object, event: string, ...args: unknown[]) {
    if (event === "connection") servers.push(args[0] as Exchanging);
    return emit.call(this as never, event as never, ...args as never[]);
  } as never;
  const { connect } = Client.prototype;
  Client.prototype.connect = function (this: InstanceType<typeof Client>, ...args: never[]) {
    clients.push(this as unknown as Exchanging);
    return connect.apply(this, args as never);
  } as never;
  t.after(() => {
    Server.prototype.emit = emit;
    Client.prototype.connect = connect;
  });
  return { servers, clients };
}

/** How often an end began to exchange keys. */
function countBegun({ _protocol: protocol }: Exchanging): () => number {
  let begun = 0;
  const { rekey } = protocol;
  protocol.rekey = function () {
    begun++;
    return rekey.call(this);
  };
  return () => begun;
}

/** Sends bytes to a service that sends them back, and checks them. `onBytes` is told how many have come. */
async function mirror(port: number, size: number, onBytes: (received: number) => void = () => {}): Promise<void> {
  const sent = randomBytes(size);
  const caller = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const hash = createHash("sha256");
  let received = 0;
  caller.on("data", (bytes: Buffer) => {
    hash.update(bytes);
    received += bytes.length;
    onBytes(received);
  });
  caller.write(sent);
  caller.end();
  await once(caller, "end");
  assert.equal(received, sent.length);
  assert.equal(hash.digest("hex"), createHash("sha256").update(sent).digest("hex"));
}

for (
  const [who, server, client] of [
    ["the server", "1MiB", "0B"],
    ["the client", "0B", "1MiB"],
    ["both ends", "1MiB", "1MiB"],
  ] as const
) {
  test(`bytes in both directions survive key exchanges that ${who} began after a megabyte`, async (t) => {
    const found = findConnections(t);
    const world = await makeWorld(t, (socket) => socket.pipe(socket), {
      ssh: `rekeyLimit = "${server}"`,
      client: `rekeyLimit = "${client}"`,
    });
    let exchanges = 0;
    found.servers.at(-1)?.on("rekey", () => exchanges++);
    const byServer = countBegun(found.servers.at(-1) as Exchanging);
    const byClient = countBegun(found.clients.at(-1) as Exchanging);
    await mirror(world.rawPort, 24 * MIB);
    assert.ok(exchanges >= 10, `${exchanges} exchanges`);
    assert.equal(byServer() > 0, server !== "0B");
    assert.equal(byClient() > 0, client !== "0B");
  });
}

test("bytes survive key exchanges that both ends begin at the same moment", async (t) => {
  const found = findConnections(t);
  const world = await makeWorld(t, (socket) => socket.pipe(socket));
  const ends = [found.servers.at(-1) as Exchanging, found.clients.at(-1) as Exchanging];
  let exchanges = 0;
  let crossed = 0;
  ends[0]?.on("rekey", () => exchanges++);
  await mirror(world.rawPort, 24 * MIB, (received) => {
    if (received < (crossed + 1) * 2 * MIB || ends.some(({ _protocol }) => _protocol._kexinit !== undefined)) return;
    crossed++;
    for (const { _protocol } of ends) _protocol.rekey();
  });
  assert.ok(crossed >= 5, `${crossed} times`);
  // Two beginnings make one exchange; the last one may be under way still.
  assert.ok(exchanges === crossed || exchanges === crossed - 1, `${exchanges} exchanges of ${crossed}`);
});

test("a tunnel that is idle exchanges keys by time, and goes on", async (t) => {
  const found = findConnections(t);
  const world = await makeWorld(t, (socket) => socket.pipe(socket), { ssh: 'rekeyInterval = "1s"' });
  await new Promise<void>((resolve) => found.servers.at(-1)?.on("rekey", resolve));
  await mirror(world.rawPort, 1000);
});

/** A server whose clients may do everything, and a client that is logged in and has a channel. */
async function makePeer(t: TestContext, debug: (line: string) => void = () => {}) {
  let channel!: Channel;
  let ended!: (cause: string) => void;
  const closed = new Promise<string>((resolve) => ended = resolve);
  const ready = Promise.withResolvers<SshServerConnection>();
  const { listener } = createSshServer({
    hostKeys: [generateKey("").privatePem],
    software: "petit_test",
    loginGraceTime: 10_000,
    alive: { interval: 0, countMax: 1 },
    rekey: { rekeyLimit: 0, rekeyInterval: 0 },
    algorithms: () => MODERN,
    isFull: () => false,
    peer: () => ({
      begins: (begin) => begin(),
      login: () => ({ kind: "accept" }),
      mayUseSha1: () => false,
      loginRefused() {},
      forbidden() {},
      ready: (connection) => ready.resolve(connection),
      forward: () => Promise.resolve(undefined),
      cancelForward: () => false,
      direct: () => (opened) => channel = opened,
      closed: ended,
    }),
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  t.after(() => void listener.close());
  const client = new Client();
  t.after(() => client.destroy());
  client.on("error", () => {});
  const { port } = listener.address() as AddressInfo;
  const { privatePem } = generateKey("");
  client.connect({ host: "127.0.0.1", port, username: "anyone", privateKey: privatePem, debug });
  await once(client, "ready");
  await new Promise<void>((resolve, reject) =>
    client.forwardOut("127.0.0.1", 1, "anywhere", 1, (error) => error ? reject(error) : resolve())
  );
  const { _protocol: protocol } = client as unknown as {
    _protocol: { _decipher: { _onPayload(payload: Buffer): unknown }; ping(): void };
  };
  const { link } = await ready.promise;
  return { link, channel, closed, client, protocol };
}

/** The same, with a client that does not answer a KEXINIT, and has been sent one. */
async function makeStubbornPeer(t: TestContext) {
  const { link, channel, closed, protocol } = await makePeer(t);
  const { _onPayload: take } = protocol._decipher;
  const kexinit = Promise.withResolvers<void>();
  protocol._decipher._onPayload = (payload) => payload[0] === 20 ? kexinit.resolve() : take(payload);
  let now = 0;
  const watch = new RekeyWatch(() => now);
  t.after(watch.add(link, { rekeyLimit: 0, rekeyInterval: 1000 }));
  const pass = (milliseconds: number) => {
    for (const end = now + milliseconds; now < end;) {
      now += 1000;
      watch.look();
    }
  };
  pass(1000);
  await kexinit.promise;
  return { link, channel, closed, pass, protocol };
}

test("what a person is to see waits for the end of an exchange: a peer that is strict takes nothing else during one", async (t) => {
  let said!: (line: string) => void;
  const heard = new Promise<string>((resolve) => said = resolve);
  const lines: string[] = [];
  const { link, client } = await makePeer(t, (line) => {
    lines.push(line);
    if (line.includes("hello")) said(line);
  });
  const done = once(client, "handshake");
  link.rekey();
  link.say("hello");
  await done;
  await heard;
  assert.equal(link.wire.writable, true);
  assert.ok(lines.some((line) => line.includes("strict KEX mode enabled")));
});

test("a peer that never answers a KEXINIT is waited for a minute, and what is sent to it waits with its sender", async (t) => {
  const { link, channel, closed, pass } = await makeStubbornPeer(t);
  const chunk = Buffer.alloc(32 * 1024);
  assert.equal(channel.write(chunk), false);
  let drained = 0;
  channel.attach({ onData() {}, onEnd() {}, onClose() {}, onDrain: () => drained++ });
  // The wire is empty, and nothing more is asked for all the same.
  link.wire.emit("drain");
  assert.equal(drained, 0);
  pass(59_000);
  assert.equal(link.wire.writable, true);
  pass(2000);
  assert.equal(await closed, "the SSH protocol was broken (the client did not exchange keys within 60 s)");
});

test("a peer that asks and asks while it is owed a KEXINIT is broken off", async (t) => {
  const { closed, protocol } = await makeStubbornPeer(t);
  for (let asked = 0; asked < 5000; asked++) protocol.ping();
  assert.equal(await closed, "the SSH protocol was broken (the client asks and does not take the answers)");
});

/** Exchanges keys again as soon as they have been exchanged. @returns how often that was, to be called at the end */
function exchangeWithoutEnd({ client }: SshPeer): () => number {
  const { _protocol: protocol } = client as unknown as Exchanging;
  let exchanges = 0;
  client.on("handshake", () => {
    exchanges++;
    protocol.rekey();
  });
  return () => exchanges;
}

test("a client that exchanges keys without end is broken off, and that is on record", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(client)]);
  assert.equal(await peer.forward("127.0.0.1", client.registered.registeredPort), client.registered.registeredPort);
  const exchanges = exchangeWithoutEnd(peer);
  (peer.client as unknown as Exchanging)._protocol.rekey();
  await peer.closed;
  assert.ok(exchanges() < 40, `${exchanges()} exchanges`);
  const { msg } = await server.logged(({ msg }) => msg.includes("disconnected"));
  assert.match(msg, /the SSH protocol was broken \(the client exchanged keys again and again\)/);
});

test("a peer that has not logged in cannot exchange keys without end either", async (t) => {
  const server = await new TestServer(t).start();
  const peer = new SshPeer(t);
  peer.client.on("error", () => {});
  peer.client.connect({
    host: "127.0.0.1",
    port: server.running.sshPort,
    username: "petit",
    authHandler: () => undefined as never,
  });
  const exchanges = exchangeWithoutEnd(peer);
  const { msg } = await server.logged(({ code }) => code === "login-failed");
  assert.match(msg, /the client exchanged keys again and again/);
  assert.ok(exchanges() < 40, `${exchanges()} exchanges`);
});
