import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import type { RawPeer } from "../world/raw_peer.ts";
import { RawService } from "../world/raw_service.ts";
import { makeWorld, type World } from "../world/world.ts";

const SWITCHING = head(
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
);

const asking = (id: string, protocol = "websocket") =>
  head(
    "GET /chat HTTP/1.1",
    `Host: ${id}`,
    "Connection: keep-alive, Upgrade",
    `Upgrade: ${protocol}`,
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  );

interface Asked {
  world: World;
  caller: RawCaller;
  connection: RawPeer;
  /** The request as the service got it. */
  request: string;
}

/** A caller that has asked for an upgrade, `early` right behind, and the service's side of it. */
async function asked(t: TestContext, protocol?: string, early = ""): Promise<Asked> {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(asking(world.id, protocol) + early);
  const connection = await service.next();
  return { world, caller, connection, request: await connection.takeHead() };
}

/** The same, upgraded. */
async function upgraded(t: TestContext): Promise<Asked> {
  const all = await asked(t);
  all.connection.send(SWITCHING);
  await all.caller.takeHead();
  return all;
}

async function assertBothWays(caller: RawPeer, connection: RawPeer): Promise<void> {
  for (const text of ["first", "\x81\x05hello\0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]) {
    caller.send(text);
    assert.equal(await connection.take(text.length), text);
    connection.send(`<${text}>`);
    assert.equal(await caller.take(text.length + 2), `<${text}>`);
  }
}

test("an upgrade is asked for with the caller's fields and answered with the service's", async (t) => {
  const { caller, connection, request } = await asked(t);
  assert.match(request, /^GET \/chat HTTP\/1\.1\r\n/);
  assert.deepEqual(valuesOf(request, "upgrade"), ["websocket"]);
  assert.deepEqual(valuesOf(request, "connection"), ["Upgrade"]);
  assert.deepEqual(valuesOf(request, "sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
  connection.send(SWITCHING);
  const answer = await caller.takeHead();
  assert.match(answer, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.deepEqual(valuesOf(answer, "upgrade"), ["websocket"]);
  assert.deepEqual(valuesOf(answer, "connection"), ["Upgrade"]);
  assert.deepEqual(valuesOf(answer, "sec-websocket-accept"), ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]);
  await assertBothWays(caller, connection);
});

test("bytes right behind the request for an upgrade reach the service behind the switch", async (t) => {
  const { caller, connection } = await asked(t, "websocket", "early bytes");
  connection.send(SWITCHING);
  await caller.takeHead();
  assert.equal(await connection.take(11), "early bytes");
  await assertBothWays(caller, connection);
});

test("bytes right behind the 101 reach the caller", async (t) => {
  const { caller, connection } = await asked(t);
  connection.send(`${SWITCHING}early bytes`);
  await caller.takeHead();
  assert.equal(await caller.take(11), "early bytes");
  await assertBothWays(caller, connection);
});

test("a protocol is named by the service as it likes, among those that the caller asked for", async (t) => {
  const { caller, connection, request } = await asked(t, "raw/2, WebSocket");
  assert.deepEqual(valuesOf(request, "upgrade"), ["raw/2, WebSocket"]);
  connection.send(SWITCHING);
  assert.match(await caller.takeHead(), /^HTTP\/1\.1 101 /);
  await assertBothWays(caller, connection);
});

test("after an upgrade the caller may end its direction and still receive", async (t) => {
  const { caller, connection } = await upgraded(t);
  caller.send("last words").end();
  assert.equal(await connection.all(), "last words");
  connection.send("answer").end();
  assert.equal(await caller.all(), "answer");
});

test("after an upgrade the service may end its direction and still receive", async (t) => {
  const { caller, connection } = await upgraded(t);
  connection.send("last words").end();
  assert.equal(await caller.all(), "last words");
  caller.send("answer").end();
  assert.equal(await connection.all(), "answer");
});

test("after an upgrade a reset of either side reaches the other", async (t) => {
  const one = await upgraded(t);
  one.caller.reset();
  assert.notEqual(await one.connection.closed, "end");
  const other = await upgraded(t);
  other.connection.reset();
  assert.notEqual(await other.caller.closed, "end");
});

test("an upgraded connection is not held to the times and sizes of requests", async (t) => {
  const service = new RawService();
  const server = 'headTimeout = "500ms"\nidleTimeout = "500ms"\nserviceTimeout = "1s"\nmaxHeadSize = "1KiB"';
  const world = await makeWorld(t, service.accept, { server });
  const caller = new RawCaller(world.proxyPort).send(asking(world.id));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(SWITCHING);
  await caller.takeHead();
  // Another caller's request runs into each of these times meanwhile; by then they would have ended this connection too.
  const silent = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  assert.equal((await takeAnswer(silent)).status, 504);
  caller.send("x".repeat(5000));
  assert.equal(await connection.take(5000), "x".repeat(5000));
  await assertBothWays(caller, connection);
});

test("an upgrade works on a connection that served a request before", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok");
  assert.equal((await takeAnswer(caller)).body, "ok");
  caller.send(asking(world.id));
  await connection.takeHead();
  connection.send(SWITCHING);
  await caller.takeHead();
  await assertBothWays(caller, connection);
  // Large enough to fill the buffers, in which some runtimes left writes after such an upgrade.
  const large = "0123456789abcdef".repeat(16_384);
  connection.send(large);
  assert.ok(await caller.take(large.length) === large);
  caller.send(large);
  assert.ok(await connection.take(large.length) === large);
});

test("an upgrade that comes behind a pipelined request waits its turn", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("GET /first HTTP/1.1", `Host: ${world.id}`) + asking(world.id));
  const connection = await service.next();
  assert.match(await connection.takeHead(), /^GET \/first /);
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok");
  assert.match(await connection.takeHead(), /^GET \/chat /);
  connection.send(SWITCHING);
  assert.equal((await takeAnswer(caller)).body, "ok");
  assert.match(await caller.takeHead(), /^HTTP\/1\.1 101 /);
  await assertBothWays(caller, connection);
});

test("a service that declines the upgrade answers as to any request, and both connections go on", async (t) => {
  const { world, caller, connection } = await asked(t);
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 8") + "declined");
  const answer = await takeAnswer(caller);
  assert.equal(answer.status, 200);
  assert.equal(answer.body, "declined");
  assert.deepEqual(valuesOf(answer.head, "upgrade"), []);
  caller.send(head("GET /next HTTP/1.1", `Host: ${world.id}`));
  assert.match(await connection.takeHead(), /^GET \/next /);
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 4") + "next");
  assert.equal((await takeAnswer(caller)).body, "next");
});

test("426 Upgrade Required reaches the caller", async (t) => {
  const { caller, connection } = await asked(t);
  connection.send(head("HTTP/1.1 426 Upgrade Required", "Sec-WebSocket-Version: 13", "Content-Length: 0"));
  const answer = await takeAnswer(caller);
  assert.equal(answer.status, 426);
  assert.deepEqual(valuesOf(answer.head, "sec-websocket-version"), ["13"]);
});

for (
  const [what, answer] of [
    [
      "another protocol than asked for",
      head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: raw"),
    ],
    ["no protocol at all", head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade")],
  ] as const
) {
  test(`a service that switches to ${what} is answered 502`, async (t) => {
    const { caller, connection } = await asked(t);
    connection.send(answer);
    const refusal = await takeAnswer(caller);
    assert.equal(refusal.status, 502);
    assert.equal(JSON.parse(refusal.body).code, "service-invalid");
    await connection.closed;
  });
}

test("a service that switches without being asked is answered 502", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(SWITCHING);
  assert.equal((await takeAnswer(caller)).status, 502);
});

for (const protocol of ["h2c", "H2C", "websocket, h2c"]) {
  test(`an upgrade to "${protocol}" is not asked of the service, the request is`, async (t) => {
    const service = new RawService();
    const world = await makeWorld(t, service.accept);
    const caller = new RawCaller(world.proxyPort);
    caller.send(
      head(
        "GET / HTTP/1.1",
        `Host: ${world.id}`,
        "Connection: Upgrade, HTTP2-Settings",
        `Upgrade: ${protocol}`,
        "HTTP2-Settings: AAMAAABkAAQAAP__",
      ),
    );
    const connection = await service.next();
    const request = await connection.takeHead();
    for (const name of ["upgrade", "connection", "http2-settings"]) assert.deepEqual(valuesOf(request, name), [], name);
    connection.send(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok");
    assert.equal((await takeAnswer(caller)).body, "ok");
  });
}

test("Upgrade without a Connection that names it asks for nothing", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`, "Upgrade: websocket"));
  const connection = await service.next();
  assert.deepEqual(valuesOf(await connection.takeHead(), "upgrade"), []);
  connection.send(SWITCHING);
  assert.equal((await takeAnswer(caller)).status, 502);
});
