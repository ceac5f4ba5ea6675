import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { head, RawCaller } from "../world/raw_http.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { listenOn, makeWorld, TestClient } from "../world/world.ts";

/** A world whose client is away, and another client of the same server. */
async function leasedWorld(t: test.TestContext, holdFor = "20s", keepPortFor = "30s") {
  const world = await makeWorld(t, (socket) => socket.end(head("HTTP/1.1 200 OK", "Content-Length: 0")), {
    server: `holdFor = "${holdFor}"\nkeepPortFor = "${keepPortFor}"`,
  });
  const { id, rawPort, server } = world;
  await world.client.stop();
  await server.logged(({ msg }) => msg.includes("disconnected"));
  const other = new TestClient(t, server, 9);
  mkdirSync(join(other.folder, "tenants", "default"), { recursive: true });
  writeFileSync(join(other.folder, "tenants", "default", "preferred"), JSON.stringify({ id, port: rawPort }));
  await other.register(server.joinCode());
  return { ...world, other };
}

test("lease: who asks for the id and port of a client that is away gets others, and is told why", async (t) => {
  const { id, rawPort, other } = await leasedWorld(t);
  const { registeredId, registeredPort, notice } = other.registered;
  assert.notEqual(registeredId, id);
  assert.notEqual(registeredPort, rawPort);
  assert.equal(notice, `Registration ${id} belongs to another key`);
});

test("lease: a forward for the port of a client that is away is refused, with the reason, and the port stays its own", async (t) => {
  const { rawPort, server, client, other } = await leasedWorld(t);
  const peer = new SshPeer(t);
  const said: string[] = [];
  await peer.login(server, other.registered.registeredId, [keyOf(other)]);
  // deno-lint-ignore no-explicit-any
  const protocol = (peer.client as any)._protocol;
  const own = protocol._handlers.DEBUG;
  protocol._handlers.DEBUG = (self: unknown, display: boolean, message: string) => {
    said.push(`${display} ${message}`);
    own?.(self, display, message);
  };
  assert.match(String(await peer.forward("127.0.0.1", rawPort)), /Unable to bind/);
  assert.deepEqual(said, [
    `true Port ${rawPort} is not one of this key's; it may forward ${other.registered.registeredPort} (${other.registered.registeredId})`,
  ]);
  await client.start();
  assert.match(await new RawCaller(rawPort).send("GET / HTTP/1.1\r\n\r\n").takeHead(), / 200 /);
});

test("lease: no other program gets the port of a client that is away", async (t) => {
  const { rawPort } = await leasedWorld(t);
  const thief = createServer();
  await assert.rejects(listenOn(thief, rawPort), { code: "EADDRINUSE" });
});

test("lease: a client that stays away is seen to be: its port is closed, and open again when it is back", async (t) => {
  const { rawPort, client, server } = await leasedWorld(t, "100ms", "300ms");
  await eventually("connections are refused", async () => await new RawCaller(rawPort).closed === "ECONNREFUSED");
  await client.start();
  assert.match(await new RawCaller(rawPort).send("GET / HTTP/1.1\r\n\r\n").takeHead(), / 200 /);
  await client.stop();
  await server.stop();
  await server.start();
  await eventually("they are again", async () => await new RawCaller(rawPort).closed === "ECONNREFUSED");
});

test("lease: a port that another program has got is open as soon as it is free", async (t) => {
  const { rawPort, client, server } = await leasedWorld(t, "100ms", "100ms");
  await eventually("connections are refused", async () => await new RawCaller(rawPort).closed === "ECONNREFUSED");
  const thief = createServer((socket) => socket.destroy());
  await listenOn(thief, rawPort);
  await client.start();
  await server.logged(({ msg }) => msg.includes("only for HTTP"));
  await new Promise((resolve) => thief.close(resolve));
  await server.logged(({ msg }) => msg === `Reverse port ${rawPort} is open now`);
  assert.match(await new RawCaller(rawPort).send("GET / HTTP/1.1\r\n\r\n").takeHead(), / 200 /);
});
