import assert from "node:assert/strict";
import test from "node:test";
import { exchange, head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import type { RawPeer } from "../world/raw_peer.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

/** Answers each request with its own target as body. */
const echo = () =>
  new AnsweringService((text) => {
    const target = text.split(" ")[1] as string;
    return head("HTTP/1.1 200 OK", `Content-Length: ${target.length}`) + target;
  });

test("ten requests of one caller use one connection to the service", async (t) => {
  const service = echo();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (let number = 0; number < 10; number++) {
    caller.send(head(`GET /${number} HTTP/1.1`, `Host: ${world.id}`));
    assert.equal((await takeAnswer(caller)).body, `/${number}`);
  }
  assert.equal(service.connections, 1);
});

test("ten callers, one after the other, use one connection to the service", async (t) => {
  const service = echo();
  const world = await makeWorld(t, service.accept);
  for (let number = 0; number < 10; number++) {
    const request = head(`GET /${number} HTTP/1.1`, `Host: ${world.id}`, "Connection: close");
    assert.ok((await exchange(world.proxyPort, request)).endsWith(`\r\n\r\n/${number}`));
  }
  assert.equal(service.connections, 1);
});

test("two requests at the same time use two connections to the service", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const pairs: [RawCaller, RawPeer][] = [];
  for (let number = 0; number < 2; number++) {
    const caller = new RawCaller(world.proxyPort).send(head(`GET /${number} HTTP/1.1`, `Host: ${world.id}`));
    const connection = await service.next();
    assert.match(await connection.takeHead(), new RegExp(`^GET /${number} `));
    pairs.push([caller, connection]);
  }
  for (const [caller, connection] of pairs.reverse()) {
    connection.send(OK);
    assert.equal((await takeAnswer(caller)).body, "ok");
  }
});

test("pipelined requests are answered in their order", async (t) => {
  const service = echo();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  const paths = Array.from({ length: 20 }, (_, number) => `/${number}`);
  caller.send(paths.map((path) => head(`GET ${path} HTTP/1.1`, `Host: ${world.id}`)).join(""));
  for (const path of paths) assert.equal((await takeAnswer(caller)).body, path);
  assert.deepEqual(service.heads.map((text) => text.split(" ")[1]), paths);
});

test("pipelined requests with bodies reach the service each with its own", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(
    head("POST /a HTTP/1.1", `Host: ${world.id}`, "Content-Length: 5") + "first" +
      head("POST /b HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked") + "6\r\nsecond\r\n0\r\n\r\n" +
      head("GET /c HTTP/1.1", `Host: ${world.id}`, "Connection: close"),
  );
  let connection = await service.next();
  for (const [path, body] of [["/a", "first"], ["/b", "6\r\nsecond\r\n0\r\n\r\n"], ["/c", ""]] as const) {
    // Nothing follows a body in chunks on its connection: not every service knows them.
    if (path === "/c") connection = await service.next();
    assert.ok((await connection.takeHead()).startsWith(path === "/c" ? "GET /c " : `POST ${path} `));
    assert.equal(await connection.take(body.length), body);
    // The next request is not sent before this one is answered.
    assert.equal(connection.received, "");
    connection.send(OK);
    assert.equal((await takeAnswer(caller)).body, "ok");
  }
  assert.equal(await caller.closed, "end");
});

test("a request behind one that asks to close is not answered", async (t) => {
  const service = echo();
  const world = await makeWorld(t, service.accept);
  const all = await exchange(
    world.proxyPort,
    head("GET /a HTTP/1.1", `Host: ${world.id}`, "Connection: close") + head("GET /b HTTP/1.1", `Host: ${world.id}`),
  );
  assert.ok(all.endsWith("\r\n\r\n/a"), all);
  assert.deepEqual(service.heads.map((text) => text.split(" ")[1]), ["/a"]);
});

test("a service that closes its idle connection does not fail the next GET", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (const leave of ["end", "reset", "end", "close"] as const) {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(OK);
    assert.equal((await takeAnswer(caller)).body, "ok");
    connection[leave]();
    await connection.closed;
  }
});

test("a GET that crosses with the close of an idle connection is sent again", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("GET /first HTTP/1.1", `Host: ${world.id}`));
  const old = await service.next();
  await old.takeHead();
  old.send(OK);
  await takeAnswer(caller);
  caller.send(head("GET /second HTTP/1.1", `Host: ${world.id}`));
  assert.match(await old.takeHead(), /^GET \/second /);
  old.end();
  const fresh = await service.next();
  assert.match(await fresh.takeHead(), /^GET \/second /);
  fresh.send(OK);
  assert.equal((await takeAnswer(caller)).body, "ok");
});

test("a GET on a fresh connection that the service closes is not sent again", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.end();
  assert.equal((await takeAnswer(caller)).status, 502);
  assert.equal(service.connections.length, 1);
});

for (
  const [what, request] of [
    ["POST", (id: string) => head("POST /second HTTP/1.1", `Host: ${id}`)],
    ["POST with a body", (id: string) => head("POST /second HTTP/1.1", `Host: ${id}`, "Content-Length: 4") + "body"],
    ["PATCH", (id: string) => head("PATCH /second HTTP/1.1", `Host: ${id}`)],
    ["FOO", (id: string) => head("FOO /second HTTP/1.1", `Host: ${id}`)],
    ["PUT with a body", (id: string) => head("PUT /second HTTP/1.1", `Host: ${id}`, "Content-Length: 4") + "body"],
  ] as const
) {
  test(`a ${what} is never sent twice, also when an idle connection closes under it`, async (t) => {
    const service = new RawService();
    const world = await makeWorld(t, service.accept);
    const caller = new RawCaller(world.proxyPort).send(head("GET /first HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(OK);
    await takeAnswer(caller);
    caller.send(request(world.id));
    await connection.takeHead();
    connection.end();
    const answer = await takeAnswer(caller);
    assert.equal(answer.status, 502);
    assert.equal(JSON.parse(answer.body).code, "service-closed");
    // A connection opened for a second attempt would come before the one for this request.
    const other = new RawCaller(world.proxyPort).send(head("GET /third HTTP/1.1", `Host: ${world.id}`));
    const next = await service.next();
    assert.match(await next.takeHead(), /^GET \/third /);
    next.send(OK);
    await takeAnswer(other);
  });
}

test("a GET is not sent again once the service has begun to answer it", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET /first HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(OK);
  await takeAnswer(caller);
  caller.send(head("GET /second HTTP/1.1", `Host: ${world.id}`));
  await connection.takeHead();
  connection.send("HTTP/1.1 200 OK\r\n").end();
  assert.equal((await takeAnswer(caller)).status, 502);
  assert.equal(service.connections.length, 1);
});

test("a service that answers with Connection: close is not sent another request on that connection", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (let round = 0; round < 3; round++) {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(head("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 2") + "ok");
    const answer = await takeAnswer(caller);
    assert.equal(answer.body, "ok");
    // The close is between the server and the service; the caller's connection goes on.
    assert.deepEqual(valuesOf(answer.head, "connection"), []);
    // The service may leave the closing to the server.
    await connection.closed;
  }
});
