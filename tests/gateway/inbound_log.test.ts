import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { changedConfig } from "../world/tenants.ts";
import { makeWorld, TestClient, TestServer } from "../world/world.ts";

const fileOf = ({ folder }: TestClient) => join(folder, "logs", "inbound.log");
const linesOf = (client: TestClient) =>
  existsSync(fileOf(client))
    ? readFileSync(fileOf(client), "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line))
    : [];

/** The lines of the log once there are as many. */
async function lines(client: TestClient, count: number) {
  await eventually(`${count} lines`, () => linesOf(client).length >= count);
  const all = linesOf(client);
  assert.equal(all.length, count, JSON.stringify(all));
  return all;
}

const OK = head("HTTP/1.1 200 OK", "Content-Length: 0");

test("each connection is written down when it ends: when, for whom, to where, how much, and what came of it", async (t) => {
  const before = Date.now();
  const { client, rawPort, id, service } = await makeWorld(t, (socket) => socket.pipe(socket));
  const caller = new RawCaller(rawPort);
  await caller.send("hello").take(5);
  const { localPort } = caller.socket;
  assert.equal(linesOf(client).length, 0);
  caller.end();
  assert.equal(await caller.closed, "end");
  const [{ time, ms, tunnel, channel, ...line }] = await lines(client, 1);
  assert.deepEqual(line, {
    kind: "connection",
    by: "caller",
    tenant: "default",
    id,
    address: "127.0.0.1",
    port: localPort,
    service: `127.0.0.1:${service.port}`,
    outcome: "ok",
    bytesIn: 5,
    bytesOut: 5,
  });
  assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now());
  assert.ok(ms > 0 && channel >= 0);
  assert.match(tunnel, /^[0-9a-f]{16}$/);
});

test("what went wrong has a name", async (t) => {
  const service = new RawService();
  const { client, rawPort } = await makeWorld(t, service.accept);
  const { control } = client.running;
  const outcomes = async (count: number) => (await lines(client, count)).map(({ outcome }) => outcome);

  const reset = new RawCaller(rawPort).send("a");
  await (await service.next()).take(1);
  reset.reset();
  assert.deepEqual(await outcomes(1), ["caller-reset"]);

  const other = new RawCaller(rawPort).send("a");
  const there = await service.next();
  await there.take(1);
  there.reset();
  await other.closed;
  assert.deepEqual(await outcomes(2), ["caller-reset", "service-reset"]);

  const cut = new RawCaller(rawPort).send("a");
  await (await service.next()).take(1);
  await control.pause();
  await cut.closed;
  assert.deepEqual((await outcomes(3)).at(-1), "paused");
  await control.resume();

  const left = new RawCaller(rawPort).send("a");
  await (await service.next()).take(1);
  await control.reload(changedConfig(client, ({ allow }) => allow.paths = ["/"]));
  await left.closed;
  assert.deepEqual((await outcomes(4)).at(-1), "rules-changed");
  await control.reload(changedConfig(client, ({ allow }) => allow.paths = ["*"]));

  const lost = new RawCaller(rawPort).send("a");
  await (await service.next()).take(1);
  await client.stop();
  await lost.closed;
  assert.deepEqual((await outcomes(5)).at(-1), "tunnel-lost");
});

test("a service that is not reached, and probes, are written down too", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 1).register(server.joinCode());
  await client.start();
  await client.running.control.probe();
  const [line] = await lines(client, 1);
  assert.deepEqual([line.outcome, line.by, line.cause, line.service, line.bytesIn, line.port], [
    "service-refused",
    "probe",
    "ECONNREFUSED",
    "127.0.0.1:1",
    0,
    0,
  ]);
});

test("where the client reads requests, each of them is a line, with its own caller, beside that of the connection", async (t) => {
  const service = new AnsweringService(OK);
  const { client, proxyPort, id } = await makeWorld(t, service.accept, {
    client: 'allow.paths = ["/api/"]',
    server: 'trustedProxies = ["127.0.0.1"]',
  });
  const caller = new RawCaller(proxyPort);
  const ask = (target: string, by: string) =>
    takeAnswer(caller.send(head(`GET ${target} HTTP/1.1`, `Host: ${id}`, `X-Forwarded-For: ${by}`)));
  assert.equal((await ask("/api/1", "192.0.2.1")).status, 200);
  assert.equal((await ask("/api/2", "192.0.2.2")).status, 200);
  assert.equal((await ask("/admin", "192.0.2.3")).status, 403);
  const all = await lines(client, 4);
  assert.deepEqual(
    all.map((
      { kind, method, target, forwardedFor, status, outcome, cause },
    ) => [kind, method, target, forwardedFor, status, outcome, cause]),
    [
      ["request", "GET", "/api/1", "192.0.2.1, 127.0.0.1", 200, "ok", undefined],
      ["request", "GET", "/api/2", "192.0.2.2, 127.0.0.1", 200, "ok", undefined],
      ["request", "GET", "/admin", "192.0.2.3, 127.0.0.1", 403, "refused-http", "its path is not allowed"],
      ["connection", undefined, undefined, undefined, undefined, "refused-http", "its path is not allowed"],
    ],
  );
  assert.equal(new Set(all.map(({ channel }) => channel)).size, 1);
});

test("a request that is never answered is a line without a status", async (t) => {
  const service = new RawService();
  const { client, rawPort } = await makeWorld(t, service.accept, { client: 'allow.paths = ["/"]' });
  const caller = new RawCaller(rawPort).send(head("GET /x HTTP/1.1", "Host: x"));
  await (await service.next()).takeHead();
  caller.reset();
  const [request, connection] = await lines(client, 2);
  assert.deepEqual([request.target, request.status, connection.outcome], ["/x", 0, "caller-reset"]);
});

test("the log is its owner's only, and only ever appended to: a client that is started again goes on with it", async (t) => {
  const { client, rawPort } = await makeWorld(t, (socket) => socket.end());
  await exchange(rawPort, "");
  const [first] = await lines(client, 1);
  if (process.platform !== "win32") assert.equal(statSync(fileOf(client)).mode & 0o777, 0o600);
  await client.stop();
  await client.start();
  await exchange(rawPort, "");
  assert.deepEqual((await lines(client, 2))[0], first);
});

test("a log that is off, or has no folder, is not kept", async (t) => {
  for (const settings of ['inboundLog = "off"', 'logFolder = ""']) {
    const { client, rawPort } = await makeWorld(t, (socket) => socket.end(), { client: settings });
    await exchange(rawPort, "");
    await client.stop();
    assert.equal(existsSync(join(client.folder, "logs")), false, settings);
  }
});

test("a client that cannot keep its log does not start", async (t) => {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  writeFileSync(join(client.folder, "logs"), "");
  assert.throws(() => client.launch(), { code: "log-unwritable" });
});

test("a full log is put away and kept under a number, as other logs are", async (t) => {
  const { client, rawPort } = await makeWorld(t, (socket) => socket.end(), { client: 'logMaxSize = "1KiB"' });
  for (let connections = 0; connections < 6; connections++) await exchange(rawPort, "");
  await client.stop();
  const put = readFileSync(join(client.folder, "logs", "inbound.1.log"), "utf8");
  assert.ok(put.length > 0 && put.length <= 1024);
});
