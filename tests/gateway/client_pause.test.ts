import assert from "node:assert/strict";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { clientReadiness } from "../../src/client/client_readiness.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, statusOf, takeAnswer } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { addTenant, startSayer } from "../world/tenants.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 0");
const echo = (socket: import("node:net").Socket) => void socket.pipe(socket);

test("a paused client lets nobody in: open connections are cut, callers are told, and nobody waits", async (t) => {
  const { client, server, rawPort, proxyPort, id, service } = await makeWorld(t, echo, { server: 'holdFor = "60s"' });
  const { control } = client.running;
  const caller = new RawCaller(rawPort);
  assert.equal(await caller.send("a").take(1), "a");
  const { ended, since } = await control.pause();
  assert.equal(ended, 1);
  assert.equal(await caller.closed, "ECONNRESET");
  assert.equal(service.sockets.size, 0);
  assert.match(await new RawCaller(rawPort).closed, /^ECONN/);
  const answer = await takeAnswer(new RawCaller(proxyPort).send(head("GET / HTTP/1.1", `Host: ${id}`)));
  assert.deepEqual([answer.status, JSON.parse(answer.body).code], [503, "paused"]);
  assert.equal(service.sockets.size, 0);

  const status = control.status();
  assert.deepEqual([status.status, status.paused, status.registration[0]?.paused, status.registration[0]?.served], [
    "running",
    since,
    since,
    false,
  ]);
  assert.equal(status.registration[0]?.lights.tunnel.code, "paused");
  const { lights } = server.running.control.statusOf(id);
  assert.deepEqual([lights.client.state, lights.tunnel.state, lights.tunnel.code], ["green", "red", "paused"]);
  assert.deepEqual((await control.probe()).map(({ reached, code }) => [reached, code]), [[false, "paused"]]);
  assert.deepEqual(await clientReadiness(control), { ready: true, missing: [], endpoints: [], paused: ["default"] });

  assert.deepEqual(await control.resume(), { paused: [] });
  assert.equal(await new RawCaller(rawPort).send("b").take(1), "b");
  assert.equal(control.status().paused, null);
  assert.equal(server.running.control.statusOf(id).lights.tunnel.state, "green");
});

test("pausing and resuming again change nothing", async (t) => {
  const { client, rawPort } = await makeWorld(t, echo);
  const { control } = client.running;
  const { since } = await control.pause();
  assert.deepEqual(await control.pause(), { since, ended: 0 });
  await control.resume();
  await control.resume();
  assert.equal(await new RawCaller(rawPort).send("b").take(1), "b");
});

test("with drain, open connections go on to their end", async (t) => {
  const { client, rawPort } = await makeWorld(t, echo);
  const { control } = client.running;
  const caller = new RawCaller(rawPort);
  assert.equal(await caller.send("a").take(1), "a");
  assert.equal((await control.pause(undefined, true)).ended, 0);
  assert.equal(await caller.send("b").take(1), "b");
  assert.match(await new RawCaller(rawPort).closed, /^ECONN/);
  assert.equal((await control.pause()).ended, 1);
  assert.equal(await caller.closed, "ECONNRESET");
});

test("callers who wait for their client are told that it is paused as soon as it says so", async (t) => {
  const service = new AnsweringService(OK);
  const { client, server, proxyPort, id } = await makeWorld(t, service.accept, { server: 'holdFor = "60s"' });
  await client.stop();
  await server.logged(({ msg }) => msg.includes("disconnected"));
  const caller = new RawCaller(proxyPort).send(head("GET / HTTP/1.1", `Host: ${id}`));
  await eventually("it waits", () => server.running.control.held === 1);
  writeFileSync(join(client.folder, "paused"), "");
  client.launch();
  assert.equal((await takeAnswer(caller)).status, 503);
  assert.equal(service.heads.length, 0);
});

test("a client that is started again stays paused, and says that it is", async (t) => {
  const { client, rawPort, server, id } = await makeWorld(t, echo);
  const { since } = await client.running.control.pause();
  await client.stop();
  await client.start();
  assert.equal(client.running.control.status().paused, since);
  assert.ok(client.log.some(({ code, msg }) => code === "paused" && msg.includes("lets nobody in")));
  assert.match(await new RawCaller(rawPort).closed, /^ECONN/);
  await eventually("the server knows", () => server.running.control.statusOf(id).lights.tunnel.code === "paused");
  await client.running.control.resume();
  assert.equal(await new RawCaller(rawPort).send("b").take(1), "b");
});

test("one tenant may be paused alone; resuming the client leaves it so", async (t) => {
  const { client, server, rawPort } = await makeWorld(t, echo);
  const shop = await addTenant(client, server, "shop", { port: await startSayer(t, "the shop") });
  const { control } = client.running;
  await control.reload(client.config.client);
  await control.pause("shop");
  assert.match(await new RawCaller(shop.registeredPort).closed, /^ECONN/);
  assert.equal(await new RawCaller(rawPort).send("b").take(1), "b");
  assert.deepEqual(control.tenants().map(({ tenant, paused }) => [tenant, paused !== null]), [["default", false], [
    "shop",
    true,
  ]]);
  const readiness = await clientReadiness(control);
  assert.deepEqual(readiness, { ready: true, missing: [], endpoints: [client.registered.endpoint], paused: ["shop"] });
  await control.pause();
  assert.deepEqual(await control.resume(), { paused: ["shop"] });
  await control.resume("shop");
  assert.equal(await exchange(shop.registeredPort, ""), "the shop");
  await assert.rejects(control.pause("nobody"), { code: "tenant-unknown", exitCode: 2 });
});

test("a tenant that is evicted takes its pause with it", async (t) => {
  const { client, server } = await makeWorld(t, echo);
  await addTenant(client, server, "shop", { port: await startSayer(t, "x") });
  const { control } = client.running;
  await control.reload(client.config.client);
  await control.pause("shop");
  await control.evict("shop");
  assert.equal((await control.lease({ tenant: "shop", port: 1 })).paused, null);
});

test("a pause that cannot be written down is in force all the same, and that is told", async (t) => {
  const { client, rawPort } = await makeWorld(t, echo);
  const { control } = client.running;
  const file = join(client.folder, "paused");
  // A folder that is not empty cannot be replaced by a file.
  const { mkdirSync } = await import("node:fs");
  const caller = new RawCaller(rawPort);
  assert.equal(await caller.send("a").take(1), "a");
  mkdirSync(join(file, "x"), { recursive: true });
  await assert.rejects(control.pause(), { code: "state-unwritable" });
  assert.equal(await caller.closed, "ECONNRESET");
  assert.match(await new RawCaller(rawPort).closed, /^ECONN/);
  assert.notEqual(control.status().paused, null);
  rmSync(file, { recursive: true });
  await control.resume();
  assert.equal(existsSync(file), false);
});

test("a client that is away tells nobody that it is paused: callers get what they get then", async (t) => {
  const { client, server, proxyPort, id } = await makeWorld(t, new AnsweringService(OK).accept);
  await client.running.control.pause();
  const ask = () => exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close"));
  assert.match(await ask(), /"code":"paused"/);
  await client.stop();
  await eventually("it is away", async () => /"code":"tunnel-away"/.test(await ask()));
  assert.equal(server.running.control.statusOf(id).lights.client.code, "client-away");
});

test("only a client's own registrations are told of", async (t) => {
  const { server, proxyPort, id } = await makeWorld(t, new AnsweringService(OK).accept);
  const { keyOf, SshPeer } = await import("../world/ssh_peer.ts");
  const { TestClient } = await import("../world/world.ts");
  const other = await new TestClient(t, server, 9).register(server.joinCode());
  const peer = new SshPeer(t);
  await peer.login(server, "petit", [keyOf(other)]);
  const answered = new Promise<string>((resolve, reject) =>
    peer.client.forwardOut("127.0.0.1", 1, "localhost", 3014, (error, channel) => {
      if (error) return reject(error);
      channel.on("data", (bytes: Buffer) => resolve(bytes.toString()));
      const vitae = { brand: "ce", version: "1" };
      const closed = { [id]: "paused", [other.registered.registeredId]: "paused" };
      channel.write(`${JSON.stringify({ type: "handshake1", handshakeVersion: 2, vitae, closed })}\x03`);
    })
  );
  assert.match(await answered, /shakehand1/);
  const status = async (host: string) =>
    statusOf(await exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${host}`, "Connection: close")));
  assert.equal(await status(id), 200);
  assert.match(
    await exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${other.registered.registeredId}`, "Connection: close")),
    /"code":"paused"/,
  );
});
