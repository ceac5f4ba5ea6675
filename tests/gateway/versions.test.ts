import assert from "node:assert/strict";
import test from "node:test";
import { version } from "../../src/platform/version.ts";
import { HostileServer } from "../world/hostile_server.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { makeWorld, startService, TestClient, TestServer } from "../world/world.ts";

/** A client that is registered, and whose server is now one that answers a handshake with this. */
async function againstServer(t: test.TestContext, shakehand: HostileServer["shakehand"]) {
  const service = await startService(t, () => {});
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, service.port).register(server.joinCode());
  await server.stop();
  const later = await HostileServer.inPlaceOf(t, server, client);
  later.shakehand = shakehand;
  client.launch();
  return { client, later };
}

test("a client that meets a server of another version carries nothing, says who has to upgrade, and waits", async (t) => {
  const { client, later } = await againstServer(
    t,
    () => ({ type: "shakehand1", handshakeVersion: 3, registrations: "sealed", vitae: { version: "2.0.0" } }),
  );
  const said =
    `The server (petit 2.0.0) speaks version 3 of the backchannel, and this client (petit ${version}) version 2: upgrade the client`;
  const { msg } = await client.logged(({ code }) => code === "version-refused");
  assert.match(String(msg), /; trying again in [3-6]\d\.\d s$/);
  assert.ok(String(msg).startsWith(said));
  const { status, waiting, tunnel } = client.running.control.status();
  assert.deepEqual([status, tunnel, waiting?.code, waiting?.reason], ["listening", null, "version-refused", said]);
  assert.equal(later.messages.filter(({ type }) => type === "handshake1").length, 1);
  assert.deepEqual(later.forwards, []);
});

test("a client that a server refuses for its version passes the server's sentence on", async (t) => {
  const { client } = await againstServer(
    t,
    () => ({ type: "error", code: "version-refused", error: "Upgrade the client to petit 2", since: "2.0.0" }),
  );
  const { msg } = await client.logged(({ code }) => code === "version-refused");
  assert.match(String(msg), /^Upgrade the client to petit 2; trying again in [3-6]\d\.\d s$/);
  assert.equal(client.running.control.status().waiting?.code, "version-refused");
});

test("a server refuses a client of another version on a connection that goes on, and tells its operator", async (t) => {
  const { server, client } = await makeWorld(t, () => {});
  const peer = new SshPeer(t);
  assert.equal(await peer.login(server, "petit", [keyOf(client)]), "ready");
  const say = await peer.backchannel();
  const { type, code, error } = await say({ type: "handshake1", handshakeVersion: 3, vitae: { version: "9.1" } });
  assert.deepEqual([type, code], ["error", "version-refused"]);
  assert.match(String(error), /^The client \(petit 9\.1\) speaks version 3 .*: upgrade the server$/);
  assert.equal((await server.logged((line) => line.code === "version-refused")).level, "warn");
  assert.equal((await say({ type: "weather1" }))["code"], "message-unknown");
  assert.equal((await say({ type: "handshake1", more: [1] }))["type"], "shakehand1");
});
