import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lights } from "../../src/tunnel/lights.ts";
import { eventually } from "../world/eventually.ts";
import { exchange } from "../world/raw_http.ts";
import { addTenant } from "../world/tenants.ts";
import { listenOn, makeWorld, type Scope, TestClient, TestServer, type World } from "../world/world.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

const states = ({ client, tunnel, service }: Lights) => [client, tunnel, service].map(({ state }) => state).join(" ");

const serverLights = ({ server, id }: World) => server.running.control.statusOf(id).lights;

const clientLights = ({ client }: World) => client.running.control.status().registration[0]?.lights as Lights;

test("all three lights are green on both sides once a service has been reached, which happens without a caller", async (t) => {
  const world = await makeWorld(t, (socket) => socket.resume(), { probe: "connect" });
  await eventually("green", () => states(serverLights(world)) === "green green green");
  const { service, tunnel } = serverLights(world);
  assert.equal(service.by, "probe");
  assert.ok((service.milliseconds ?? -1) >= 0);
  assert.ok(Math.abs(Date.now() - Date.parse(service.at as string)) < 30_000);
  assert.ok(Math.abs(Date.now() - Date.parse(tunnel.at as string)) < 30_000);
  assert.equal(states(clientLights(world)), "green green green");
  assert.equal(clientLights(world).service.by, "probe");
});

test("a caller's connection is evidence, and without one, or a probe, nothing is known", async (t) => {
  const world = await makeWorld(t, (socket) => socket.end("hello"));
  assert.equal(serverLights(world).service.state, "unknown");
  assert.equal(await exchange(world.rawPort, ""), "hello");
  assert.equal(states(serverLights(world)), "green green green");
  assert.equal(serverLights(world).service.by, "caller");
  assert.equal(clientLights(world).service.by, "caller");
});

test("a service that goes down is red with the client's words and when, and green again without anybody asking", async (t) => {
  const world = await makeWorld(t, (socket) => socket.end("hello"), { probe: "connect" });
  const { service: { port, server: down }, rawPort } = world;
  await eventually("green", () => states(serverLights(world)) === "green green green");
  await new Promise((resolve) => down.close(resolve));
  const asked = Date.now();
  assert.equal(await exchange(rawPort, ""), "");
  for (const { service } of [serverLights(world), clientLights(world)]) {
    assert.deepEqual([service.state, service.error, service.code, service.by], [
      "red",
      "ECONNREFUSED",
      "service-refused",
      "caller",
    ]);
    assert.ok(Date.parse(service.at as string) >= asked - 10 && Date.parse(service.since as string) >= asked - 10);
  }
  assert.equal(serverLights(world).tunnel.state, "green", "what refuses has answered");
  const again = createServer((socket) => socket.end("hello"));
  t.after(() => again.close());
  await listenOn(again, port);
  // It is probed every 15 s while it is red.
  for (const until = Date.now() + 30_000; Date.now() < until && serverLights(world).service.state !== "green";) {
    await sleep(100);
  }
  assert.equal(states(serverLights(world)), "green green green");
  t.diagnostic(`green again ${((Date.now() - asked) / 1000).toFixed(1)} s after it went down`);
  assert.equal(states(clientLights(world)), "green green green");
});

test("an HTTP service is probed by its path: what is wrong is told in the same words on both sides", async (t) => {
  let status = "200 OK";
  const heads: string[] = [];
  const answer = (socket: Socket) =>
    socket.once("data", (head) => {
      heads.push(head.toString());
      socket.end(OK.replace("200 OK", status));
    });
  const world = await makeWorld(t, answer, { probe: "/health" });
  const { server: { running: { control } }, client, id, service, rawPort } = world;
  await eventually("green", () => states(serverLights(world)) === "green green green");
  assert.match(heads[0] as string, new RegExp(`^GET /health HTTP/1\\.1\r\nHost: 127\\.0\\.0\\.1:${service.port}\r\n`));
  status = "503 Out of order";
  await control.look(id);
  await client.running.control.look();
  for (const { service } of [serverLights(world), clientLights(world)]) {
    assert.deepEqual([service.state, service.error, service.code], [
      "red",
      "It answered GET /health with 503 Out of order",
      "service-unwell",
    ]);
  }
  const [probe] = await client.running.control.probe();
  assert.deepEqual([probe?.reached, probe?.code], [false, "service-unwell"]);
  // Callers still get through to it, and it is still not well.
  assert.match(await exchange(rawPort, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), /503/);
  assert.equal(serverLights(world).service.state, "red");
  status = "204 No Content";
  await control.look(id);
  await client.running.control.look();
  assert.equal(states(serverLights(world)), "green green green");
  assert.equal(states(clientLights(world)), "green green green");
});

test("a reload of the client changes how its service is probed", async (t) => {
  const world = await makeWorld(t, (socket) => socket.end("hello"), { probe: "connect" });
  const { server: { running: { control } }, client, id } = world;
  await control.look(id);
  assert.equal(serverLights(world).service.state, "green");
  const changed = structuredClone(client.config.client);
  changed.local.probe = "postgresql";
  await client.running.control.reload(changed);
  await control.look(id);
  assert.match(serverLights(world).service.error as string, /^It sent "hello"/);
});

test("each tenant has lights of its own", async (t) => {
  const world = await makeWorld(t, (socket) => socket.end("hello"), { probe: "connect" });
  const { server, client, id } = world;
  const { registeredId: shop } = await addTenant(client, server, "shop", { port: 9 });
  await client.running.control.reload(client.config.client);
  const { control } = server.running;
  await Promise.all([control.look(id), control.look(shop)]);
  assert.equal(control.statusOf(id).lights.service.state, "green");
  assert.equal(control.statusOf(shop).lights.service.state, "red");
  const seen = client.running.control.tenants().map(({ tenant, lights }) => `${tenant} ${states(lights)}`);
  assert.deepEqual(seen, ["default green green green", "shop green green red"]);
  const counted = await server.running.metrics.metrics();
  assert.match(counted, /^petit_registrations_lights\{light="client",state="green"\} 2$/m);
  assert.match(counted, /^petit_registrations_lights\{light="service",state="red"\} 1$/m);
  assert.match(await client.running.metrics.metrics(), /^petit_tenant_light\{tenant="shop",light="service"\} 0$/m);
});

test("a client that is away is red with the cause, and one that is gone for good leaves nothing", async (t) => {
  const world = await makeWorld(t, (socket) => socket.end("hello"), { probe: "connect" });
  const { server: { running: { control } }, client, id } = world;
  await control.look(id);
  await client.stop();
  await eventually("away", () => !control.statusOf(id).connected);
  await eventually("the cause", () => /^The tunnel ended: ./.test(serverLights(world).client.error ?? ""));
  assert.equal(states(serverLights(world)), "red red unknown");
  assert.notEqual(serverLights(world).service.at, null);
  control.unregister(id);
  assert.throws(() => control.statusOf(id), { code: "registration-unknown" });
});

test("a client that has no tunnel says so of itself: red with the reason", async (t) => {
  const world = await makeWorld(t, (socket) => socket.end("hello"));
  await world.server.stop();
  await eventually("red", () => clientLights(world).tunnel.state === "red");
  const { client, tunnel, service } = clientLights(world);
  assert.deepEqual([client.state, service.state], ["green", "unknown"]);
  assert.ok((tunnel.error ?? "").length > 0 && (tunnel.code ?? "").length > 0);
});

/** A relay that can stop to pass anything on, in the way of a client to its server. */
async function relayTo(scope: Scope, port: number): Promise<{ port: number; blackHole(): void }> {
  const sockets = new Set<Socket>();
  let open = true;
  const relay = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from);
      from.on("error", () => {});
      from.on("close", () => to.destroy());
      from.on("data", (bytes) => open && to.write(bytes));
    }
  });
  const own = await listenOn(relay);
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
  return { port: own, blackHole: () => void (open = false) };
}

test("a client from which nothing comes any more is not green for long, though its connection still stands", async (t) => {
  const server = await new TestServer(t, "", 'clientAliveInterval = "1s"\nclientAliveCountMax = 100').start();
  const service = createServer((socket) => socket.end("hello"));
  t.after(() => service.close());
  const relay = await relayTo(t, server.running.sshPort);
  const client = new TestClient(t, server, await listenOn(service), "", "connect");
  client.config.client.port = relay.port;
  await (await client.register({ ...server.joinCode(), port: relay.port })).start();
  const id = client.registered.registeredId;
  const { control } = server.running;
  await eventually("green", () => states(control.statusOf(id).lights) === "green green green");
  const begun = performance.now();
  relay.blackHole();
  for (
    const until = begun + 20_000;
    performance.now() < until && control.statusOf(id).lights.client.state === "green";
  ) {
    await sleep(50);
  }
  const took = performance.now() - begun;
  const { lights, connected } = control.statusOf(id);
  assert.equal(states(lights), "red red unknown");
  assert.match(lights.client.error as string, /^The client has been silent for \d+ s$/);
  assert.equal(connected, true, "its tunnel has not been given up");
  t.diagnostic(`not green ${(took / 1000).toFixed(1)} s after the last byte`);
  assert.ok(took < 12_000, `${took} ms`);
});
