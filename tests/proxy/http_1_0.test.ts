import assert from "node:assert/strict";
import test from "node:test";
import { exchange, head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
const CHUNKED = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "3\r\none\r\n3;x=y\r\ntwo\r\n0\r\n\r\n";

test("an HTTP/1.0 caller is answered, and its connection closes", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const all = await exchange(world.proxyPort, head("GET / HTTP/1.0", `Host: ${world.id}`));
  assert.match(all, /^HTTP\/1\.1 200 OK\r\n/);
  assert.deepEqual(valuesOf(all.slice(0, -2), "connection"), ["close"]);
  assert.ok(all.endsWith("\r\n\r\nok"));
});

test("an HTTP/1.0 caller that asks for keep-alive gets it, and is told so", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (let round = 0; round < 3; round++) {
    caller.send(head("GET / HTTP/1.0", `Host: ${world.id}`, "Connection: Keep-Alive"));
    const answer = await takeAnswer(caller);
    assert.equal(answer.body, "ok");
    assert.deepEqual(valuesOf(answer.head, "connection"), ["keep-alive"]);
  }
});

test("the service is asked in HTTP/1.1 and may keep its connection, whatever the caller speaks", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  for (let round = 0; round < 3; round++) {
    await exchange(world.proxyPort, head("GET /old HTTP/1.0", `Host: ${world.id}`));
  }
  assert.deepEqual(service.heads.map((text) => text.split("\r\n")[0]), Array(3).fill("GET /old HTTP/1.1"));
  assert.deepEqual(service.heads.map((text) => valuesOf(text, "connection")), [[], [], []]);
  assert.equal(service.connections, 1);
});

test("a chunked answer reaches an HTTP/1.0 caller without chunks, ended by the connection", async (t) => {
  const world = await makeWorld(t, new AnsweringService(CHUNKED).accept);
  for (const more of [[], ["Connection: keep-alive"]]) {
    const all = await exchange(world.proxyPort, head("GET / HTTP/1.0", `Host: ${world.id}`, ...more));
    assert.ok(all.endsWith("\r\n\r\nonetwo"), all);
    const answer = all.slice(0, -6);
    assert.deepEqual(valuesOf(answer, "transfer-encoding"), []);
    assert.deepEqual(valuesOf(answer, "content-length"), []);
    assert.deepEqual(valuesOf(answer, "connection"), ["close"]);
  }
});

test("an answer that ends with its connection reaches an HTTP/1.0 caller the same way", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.0", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(`${head("HTTP/1.0 200 OK")}until the end`).end();
  assert.equal(await caller.closed, "end");
  assert.ok(caller.received.endsWith("\r\n\r\nuntil the end"), caller.received);
});

test("an HTTP/1.0 caller without Host is answered 404", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept);
  assert.match(await exchange(world.proxyPort, head("GET / HTTP/1.0")), /^HTTP\/1\.1 404 /);
});

test("a body with a length from an HTTP/1.0 caller reaches the service", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST / HTTP/1.0", `Host: ${world.id}`, "Content-Length: 4") + "body");
  const connection = await service.next();
  await connection.takeHead();
  assert.equal(await connection.take(4), "body");
  connection.send(OK);
  assert.match(await caller.all(), /\r\n\r\nok$/);
});

test("an HTTP/1.0 caller that asks for an upgrade is answered as without", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const all = await exchange(
    world.proxyPort,
    head("GET / HTTP/1.0", `Host: ${world.id}`, "Connection: Upgrade", "Upgrade: websocket"),
  );
  assert.match(all, /^HTTP\/1\.1 200 /);
  assert.deepEqual(service.heads.map((text) => valuesOf(text, "upgrade")), [[]]);
});

test("a service that speaks HTTP/1.0 gets each request on a connection of its own, unless it offers keep-alive", async (t) => {
  let keepAlive = false;
  const service = new AnsweringService((_text, connection) => {
    if (!keepAlive) setImmediate(() => connection.end());
    return head("HTTP/1.0 200 OK", "Content-Length: 2", ...(keepAlive ? ["Connection: keep-alive"] : [])) + "ok";
  });
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  const ask = async () => {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const answer = await takeAnswer(caller);
    assert.match(answer.head, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(answer.body, "ok");
  };
  for (let round = 0; round < 3; round++) await ask();
  assert.equal(service.connections, 3);
  keepAlive = true;
  for (let round = 0; round < 3; round++) await ask();
  assert.equal(service.connections, 4);
});
