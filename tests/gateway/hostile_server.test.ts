import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { HostileServer } from "../world/hostile_server.ts";
import { changedConfig } from "../world/tenants.ts";
import { startService, TestClient, TestServer } from "../world/world.ts";

/** A client whose server has turned hostile, and a service beside its own that it must not be made to reach. */
async function hostileWorld(t: test.TestContext, settings = "") {
  const service = await startService(t, () => {});
  const secret = await startService(t, () => {});
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, service.port, settings).register(server.joinCode());
  await server.stop();
  const hostile = await HostileServer.inPlaceOf(t, server, client);
  await client.start();
  return { service, secret, client, hostile, port: client.registered.registeredPort };
}

const linesOf = (client: TestClient) =>
  readFileSync(join(client.folder, "logs/inbound.log"), "utf8").trim().split("\n").map((line) => JSON.parse(line));

test("a server can open the connections that were asked for, and no others: the service is the client's choice", async (t) => {
  const { service, secret, client, hostile, port } = await hostileWorld(t);
  assert.equal(await hostile.open({ address: "127.0.0.1", port }), "open");
  await eventually("the service was reached", () => service.sockets.size === 1);
  for (
    const wanted of [
      { address: "127.0.0.1", port: secret.port },
      { address: "localhost", port: secret.port },
      { address: "localhost", port },
      { address: "0.0.0.0", port },
      { address: "", port },
      { address: "127.0.0.1", port: 0 },
      { address: `127.0.0.1:${secret.port}\0`, port },
      { address: "169.254.169.254", port: 80 },
    ]
  ) assert.match(await hostile.open(wanted), /Channel open failure/, JSON.stringify(wanted));
  for (const kind of ["x11", "streamlocal"] as const) assert.notEqual(await hostile.openOther(kind), "open", kind);
  assert.deepEqual([service.sockets.size, secret.sockets.size], [1, 0]);
  await client.stop();
  const lines = linesOf(client);
  assert.deepEqual(lines.map(({ outcome }) => outcome).sort(), [...Array(8).fill("not-served"), "tunnel-lost"]);
  assert.equal(lines.find(({ cause }) => cause === `asked for 127.0.0.1:${secret.port}`)?.service, null);
});

test("nothing that a server says widens what is allowed, or resumes what is paused", async (t) => {
  const { service, client, hostile, port } = await hostileWorld(t);
  const { control } = client.running;
  const { since } = await control.pause();
  const words = [
    { type: "resume1" },
    { type: "resume" },
    { type: "config", "client.allow.services": ["*"] },
    {
      type: "shakehand1",
      registrations: [],
      vitae: { environment: "", endpoint: "", version: "" },
      closed: {},
      allow: ["*"],
    },
    { type: "reconnect1", after: 0, successor: true },
  ];
  for (const message of words) hostile.say(message);
  await eventually(
    "it has connected again",
    () => hostile.messages.filter(({ type }) => type === "handshake1").length >= 3,
  );
  await eventually("it is up", () => control.status().tunnel !== null);
  assert.match(await hostile.open({ address: "127.0.0.1", port }), /Channel open failure/);
  assert.equal(hostile.forwards.length, 1);
  assert.equal(service.sockets.size, 0);
  assert.equal(control.status().paused, since);
  assert.deepEqual(client.config.client.allow, { services: ["*"], methods: ["*"], paths: ["*"] });
});

test("a server that goes on as if it had not heard is refused by the client all the same", async (t) => {
  const { service, client, hostile, port } = await hostileWorld(t);
  const { control } = client.running;
  hostile.hears = false;
  assert.equal(await hostile.open({ address: "127.0.0.1", port }), "open");
  await eventually("the service was reached", () => service.sockets.size === 1);
  const pausing = control.pause();
  await eventually("the connection is cut", () => service.sockets.size === 0);
  assert.match(await hostile.open({ address: "127.0.0.1", port }), /paused by its administrator/);
  await pausing;
  assert.match(await hostile.open({ address: "127.0.0.1", port }), /Channel open failure/);
  assert.equal(service.sockets.size, 0);
  await control.resume();
  await eventually("it is served again", async () => await hostile.open({ address: "127.0.0.1", port }) === "open");
});

test("a service that is not allowed is not reached, whatever the server opens", async (t) => {
  const { service, client, hostile, port } = await hostileWorld(t);
  hostile.hears = false;
  const reloading = client.running.control.reload(changedConfig(client, ({ allow }) => allow.services = []));
  assert.match(await hostile.open({ address: "127.0.0.1", port }), /is not in \[client.allow\] services|Channel open/);
  await reloading;
  assert.match(await hostile.open({ address: "127.0.0.1", port }), /Channel open failure/);
  assert.equal(service.sockets.size, 0);
});

test("what the customer changes counts at once, though the server does not answer any more", async (t) => {
  const { service, secret, client, hostile, port } = await hostileWorld(t);
  hostile.answers = false;
  const { control } = client.running;
  const opens = async () => await hostile.open({ address: "127.0.0.1", port });
  // Never settles: the tunnel waits for the server's word.
  void control.reload(changedConfig(client, ({ local }) => local.port = secret.port));
  assert.equal(await opens(), "open");
  await eventually("the new service was reached", () => secret.sockets.size === 1);
  assert.equal(service.sockets.size, 0);
  void control.reload(changedConfig(client, ({ allow }) => allow.services = [`127.0.0.1:${service.port}`]));
  assert.match(await opens(), /is not in \[client.allow\] services/);
  await eventually("its connection is cut", () => secret.sockets.size === 0);
});

test("a server that makes up a registration for a port of its choice gets no forward, and no connection", async (t) => {
  const { service, client, hostile, port } = await hostileWorld(t);
  hostile.claims.push({ registeredId: "4711", registeredPort: 22, endpoint: "http://x" });
  await client.running.control.reload(client.config.client);
  assert.deepEqual(hostile.forwards.map(({ bindPort }) => bindPort), [port]);
  assert.match(await hostile.open({ address: "127.0.0.1", port: 22 }), /Channel open failure/);
  assert.equal(service.sockets.size, 0);
});

test("what a server says of callers cannot forge a line of the log", async (t) => {
  const { client, hostile, port } = await hostileWorld(t);
  const origin = `1.2.3.4"}\n{"time":"x","outcome":"ok"}\r\u202e\x1b[2J${"x".repeat(500)}`;
  await hostile.open({ address: "127.0.0.1", port, origin, originPort: 1 });
  await hostile.open({ address: origin, port, originPort: 1 });
  await client.stop();
  const text = readFileSync(join(client.folder, "logs/inbound.log"), "latin1");
  // deno-lint-ignore no-control-regex
  assert.match(text, /^[\x0a\x20-\x7e]*$/);
  const lines = linesOf(client);
  assert.equal(lines.length, 2);
  assert.deepEqual(lines.map(({ outcome, kind }) => [kind, outcome]).sort(), [
    ["connection", "not-served"],
    ["connection", "tunnel-lost"],
  ]);
  for (const { address, cause = "" } of lines) assert.ok(address.length <= 64 && cause.length < 150);
});
