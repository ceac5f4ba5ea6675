import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Disconnect } from "../../src/server/disconnect.ts";
import { Server } from "../../src/tunnel/ssh_library.ts";
import { eventually } from "../world/eventually.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { addTenant, startSayer } from "../world/tenants.ts";
import { makeWorld, type Scope, startService, TestClient, TestServer } from "../world/world.ts";
import { TunnelRelay } from "./tunnel_relay.ts";

const NEVER_ASKS = 'clientAliveInterval = "0s"';
const QUICK = 'reconnectDelayMax = "50ms"';

/** A client that is connected to its server through a relay, and comes back quickly. */
async function relayedWorld(t: Scope, { client: settings = "", ssh = "" } = {}) {
  const { port } = await startService(t, (socket) => socket.pipe(socket));
  const server = await new TestServer(t, "", ssh).start();
  const relay = await TunnelRelay.to(t, server.running.sshPort);
  const client = new TestClient(t, server, port, `${QUICK}\n${settings}`);
  client.config.client.port = relay.port;
  await (await client.register({ ...server.joinCode(), port: relay.port })).start();
  const id = client.registered.registeredId;
  return { server, client, relay, id };
}

/** The last disconnect of a registration, once the client has told how it saw it. */
async function told(server: TestServer, id: string, count = 1): Promise<Disconnect> {
  const all = () => server.running.control.statusOf(id).disconnects;
  await eventually(
    `the client has told, of ${count}`,
    () => all().length === count && all().every(({ clientCause }) => clientCause !== null),
  );
  return all()[0] as Disconnect;
}

const causes = ({ cause, code, clientCause, clientCode }: Disconnect) => [cause, code, clientCause, clientCode];

test("disconnect: an operator's is told to the client, and both sides say the same", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  server.running.control.disconnect(id);
  const disconnect = await told(server, id);
  const cause = "the server's operator ended it";
  assert.deepEqual(causes(disconnect), [cause, "operator", cause, "operator"]);
  assert.deepEqual([disconnect.ids, disconnect.address], [[id], "127.0.0.1"]);
  await eventually("the client knows that it has told", () => client.running.control.disconnects(1)[0]?.told === true);
  const [own] = client.running.control.disconnects(10);
  assert.deepEqual([own?.tunnel, own?.ids], [disconnect.tunnel, [id]]);
  assert.equal(own?.at, disconnect.clientAt);
});

test("disconnect: the tunnel has one name on both sides, also after its keys were exchanged anew", async (t) => {
  // The library's connection object is not handed out; this finds it where it is made.
  const connections: { rekey(done: (error?: Error) => void): void }[] = [];
  const { emit } = Server.prototype;
  Server.prototype.emit = function (this: object, event: string, ...args: unknown[]) {
    if (event === "connection") connections.push(args[0] as never);
    return emit.call(this as never, event as never, ...args as never[]);
  } as never;
  t.after(() => void (Server.prototype.emit = emit));
  const { server, client, id } = await relayedWorld(t);
  for (let time = 0; time < 2; time++) {
    await new Promise<void>((resolve, reject) =>
      connections.at(-1)?.rekey((error) => error === undefined ? resolve() : reject(error))
    );
  }
  // Both sides have gone over to the new keys, and understand each other.
  await client.running.control.ping();
  server.running.control.disconnect(id);
  const { tunnel } = await told(server, id);
  assert.match(tunnel, /^[0-9a-f]{16}$/);
  assert.equal(client.running.control.disconnects(1)[0]?.tunnel, tunnel);
});

test("disconnect: a client that stops says so, and tells its own side when it is back", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  await client.stop();
  await server.logged(({ msg }) => msg === `${id} disconnected: the client stopped`);
  const [seen] = server.running.control.statusOf(id).disconnects;
  assert.deepEqual(causes(seen as Disconnect), ["the client stopped", "stopped", null, null]);
  await client.start();
  assert.deepEqual(causes(await told(server, id)), ["the client stopped", "stopped", "the client stopped", "stopped"]);
});

test("disconnect: a server that stops says so, and remembers it over the restart", async (t) => {
  const { server, id, client } = await relayedWorld(t);
  await server.stop();
  await client.logged(({ msg }) => msg.endsWith("ended: the server stopped"));
  await server.start();
  assert.deepEqual(causes(await told(server, id)), ["the server stopped", "stopped", "the server stopped", "stopped"]);
});

test("disconnect: whoever is taken over hears of it", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  const newer = new SshPeer(t);
  await newer.login(server, id, [keyOf(client)]);
  await newer.forward("127.0.0.1", client.registered.registeredPort);
  const cause = "a newer connection of the same client took over";
  await client.logged(({ msg }) => msg.endsWith(`ended: ${cause}`));
  await newer.closed;
  const all = () => server.running.control.statusOf(id).disconnects;
  await eventually("the client has told", () => all().some(({ clientCause }) => clientCause !== null));
  const own = all().find(({ clientCause }) => clientCause !== null);
  assert.deepEqual(causes(own as Disconnect), [cause, "taken-over", cause, "taken-over"]);
});

test("disconnect: settings that need a new tunnel are its cause on both sides", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  const read = { ...structuredClone(client.config.client), serverAliveCountMax: 7 };
  await client.running.control.reload(read);
  assert.deepEqual(causes(await told(server, id)), [
    ...["the client ended it: the settings changed", "settings"],
    ...["the settings changed", "settings"],
  ]);
});

test("disconnect: the last registration gone is told to its client", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  server.running.control.unregister(id);
  await client.logged(({ msg }) => msg.endsWith("ended: the last of its registrations is gone"));
  assert.equal(client.running.control.disconnects(1)[0]?.code, "unregistered");
});

test("disconnect: a connection that is reset is told so in words", async (t) => {
  const { server, id, relay } = await relayedWorld(t);
  relay.reset();
  const cause = "the connection was reset (ECONNRESET)";
  assert.deepEqual(causes(await told(server, id)), [cause, "reset", cause, "reset"]);
});

test("disconnect: a connection that ends without a word is not taken for one that was ended in order", async (t) => {
  const { server, id, relay } = await relayedWorld(t);
  relay.end();
  assert.deepEqual(causes(await told(server, id)), [
    ...["the client closed the connection without a word", "closed"],
    ...["the server closed the connection without a word", "closed"],
  ]);
});

for (const from of ["client", "server"] as const) {
  test(`disconnect: a damaged packet of the ${from} is a fault of the protocol on both sides`, async (t) => {
    const { server, client, id, relay } = await relayedWorld(t);
    relay.damageNext(from);
    await client.running.control.ping().catch(() => {});
    const { cause, clientCause, code, clientCode } = await told(server, id);
    assert.deepEqual([code, clientCode], ["protocol", "protocol"]);
    const [found, heard] = from === "client" ? [cause, clientCause] : [clientCause, cause];
    assert.match(found ?? "", /^the SSH protocol was broken \(.+\)$/);
    assert.equal(heard, `the ${from === "client" ? "server" : "client"} ended it: ${found}`);
  });
}

test("disconnect: a client without a sign of life is given up with the time of its silence, and tells its own side", async (t) => {
  const { server, id, relay } = await relayedWorld(t, {
    client: 'serverAliveInterval = "0s"',
    ssh: 'clientAliveInterval = "200ms"\nclientAliveCountMax = 2',
  });
  relay.silence();
  await server.logged(({ msg }) => /disconnected: no sign of life from the client for \d+ s$/.test(msg));
  const disconnect = await told(server, id);
  assert.equal(disconnect.code, "no-sign-of-life");
  assert.equal(disconnect.clientCode, "closed", "the relay closed what it had of the connection");
});

test("disconnect: a server without a sign of life is given up with the time of its silence", async (t) => {
  const { client, relay } = await relayedWorld(t, {
    client: 'serverAliveInterval = "200ms"\nserverAliveCountMax = 2',
    ssh: NEVER_ASKS,
  });
  relay.silence();
  await client.logged(({ msg }) => /ended: no sign of life from the server for \d+ s$/.test(msg));
  assert.equal(client.running.control.disconnects(1)[0]?.code, "no-sign-of-life");
});

test("disconnect: what a client tells of other keys' registrations and of no tunnel of its own is left out", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  const { port } = await startService(t, (socket) => socket.destroy());
  const other = await new TestClient(t, server, port, QUICK).register(server.joinCode());
  await other.start();
  server.running.control.disconnect(other.registered.registeredId);
  const theirs = await told(server, other.registered.registeredId);
  await client.stop();
  const forged = {
    ...{ tunnel: theirs.tunnel, server: `127.0.0.1:${client.config.client.port}`, at: 1, lasted: 1, told: false },
    ...{ ids: [id, other.registered.registeredId], cause: "forged" },
  };
  writeFileSync(join(client.folder, "disconnects.json"), JSON.stringify({ standing: null, disconnects: [forged] }));
  await client.start();
  const all = server.running.control.statusOf(id).disconnects;
  assert.deepEqual(all.map(({ clientCause, ids }) => [clientCause, ids]), [["forged", [id]], [null, [id]]]);
  assert.deepEqual(server.running.control.statusOf(other.registered.registeredId).disconnects, [theirs]);
});

test("disconnect: the client's file may be damaged or missing", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  await client.stop();
  const file = join(client.folder, "disconnects.json");
  assert.ok(existsSync(file));
  writeFileSync(file, '{"standing":null,"disconn');
  await client.start();
  await client.logged(({ code }) => code === "disconnects-damaged");
  assert.deepEqual(client.running.control.disconnects(10), []);
  server.running.control.disconnect(id);
  await eventually("it is written", () => readFileSync(file, "utf8").includes("the server's operator ended it"));
});

test("disconnect: a registration that goes is forgotten, and those of the same tunnel that stay are not", async (t) => {
  const { server, client, id } = await makeWorld(t, (socket) => socket.pipe(socket), { client: QUICK });
  const shop = await addTenant(client, server, "shop", { port: await startSayer(t, "the shop") });
  await client.running.control.reload(client.config.client);
  server.running.control.disconnect(id);
  assert.deepEqual([...(await told(server, id)).ids].sort(), [id, shop.registeredId].sort());
  // It tells before it asks for its forwards, and a tunnel without any is nobody's disconnect.
  await eventually(
    "both are served again",
    () => [id, shop.registeredId].every((one) => server.running.control.statusOf(one).connected),
  );
  server.running.control.unregister(shop.registeredId);
  await server.stop();
  await server.start();
  const [last, first] = (await told(server, id, 2), server.running.control.statusOf(id).disconnects);
  assert.deepEqual([last?.code, first?.code, first?.ids], ["stopped", "operator", [id]]);
});

test("disconnect: metrics of both sides count by code", async (t) => {
  const { server, client, id } = await relayedWorld(t);
  server.running.control.disconnect(id);
  await told(server, id);
  for (const { metrics } of [server.running, client.running]) {
    const text = await metrics.metrics();
    assert.match(text, /^petit_disconnects_total\{reason="operator"\} 1$/m);
    assert.match(text, /^petit_disconnects_total\{reason="reset"\} 0$/m);
  }
});
