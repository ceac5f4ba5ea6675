import assert from "node:assert/strict";
import test from "node:test";
import { exchange, head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

/** A request whose head has exactly so many bytes. */
function requestOf(bytes: number, id: string): string {
  const around = head("GET / HTTP/1.1", `Host: ${id}`, "X-Fill: ").length;
  return head("GET / HTTP/1.1", `Host: ${id}`, `X-Fill: ${"x".repeat(bytes - around)}`);
}

test("a head of maxHeadSize is served, one byte more is answered 431", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept, { server: 'maxHeadSize = "2KiB"' });
  const caller = new RawCaller(world.proxyPort).send(requestOf(2048, world.id));
  assert.equal((await takeAnswer(caller)).status, 200);
  caller.send(requestOf(2049, world.id));
  const refusal = await takeAnswer(caller);
  assert.equal(refusal.status, 431);
  assert.equal(JSON.parse(refusal.body).code, "head-too-large");
  assert.deepEqual(valuesOf(refusal.head, "connection"), ["close"]);
  assert.equal(await caller.closed, "end");
  assert.equal(service.heads.length, 1);
});

test("a head that has no end is answered 431 once it is over maxHeadSize", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: 'maxHeadSize = "2KiB"' });
  for (
    const endless of [`GET /${"x".repeat(4096)}`, `GET / HTTP/1.1\r\nHost: ${world.id}\r\n${"X-A: b\r\n".repeat(400)}`]
  ) {
    const caller = new RawCaller(world.proxyPort).send(endless);
    assert.equal((await takeAnswer(caller)).status, 431);
    assert.equal(await caller.closed, "end");
  }
});

test("maxHeadSize does not limit bodies", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'maxHeadSize = "2KiB"' });
  const body = "x".repeat(100_000);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST / HTTP/1.1", `Host: ${world.id}`, `Content-Length: ${body.length}`) + body);
  const connection = await service.next();
  await connection.takeHead();
  assert.ok(await connection.take(body.length) === body);
  connection.send(head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`) + body);
  assert.ok((await takeAnswer(caller)).body === body);
});

test("the head of an answer over maxHeadSize is answered 502", async (t) => {
  const large = head("HTTP/1.1 200 OK", `X-Fill: ${"x".repeat(3000)}`, "Content-Length: 0");
  const world = await makeWorld(t, new AnsweringService(large).accept, { server: 'maxHeadSize = "2KiB"' });
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const refusal = await takeAnswer(caller);
  assert.equal(refusal.status, 502);
  assert.equal(JSON.parse(refusal.body).code, "service-invalid");
});

test("a head that takes longer than headTimeout is answered 408", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: 'headTimeout = "300ms"' });
  const caller = new RawCaller(world.proxyPort).send("GET / HTTP/1.1\r\nHost:");
  const refusal = await takeAnswer(caller);
  assert.equal(refusal.status, 408);
  assert.equal(JSON.parse(refusal.body).code, "head-too-slow");
  assert.equal(await caller.closed, "end");
});

test("bytes that trickle in do not put headTimeout off", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: 'headTimeout = "300ms"' });
  const caller = new RawCaller(world.proxyPort).send("GET / HTTP/1.1\r\n");
  const trickle = setInterval(() => caller.send("X-A: b\r\n"), 20);
  t.after(() => clearInterval(trickle));
  assert.equal((await takeAnswer(caller)).status, 408);
});

test("empty lines that trickle in do not put headTimeout off", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: 'headTimeout = "300ms"' });
  const caller = new RawCaller(world.proxyPort);
  const trickle = setInterval(() => caller.send("\r\n"), 20);
  t.after(() => clearInterval(trickle));
  await caller.closed;
});

test("a second head on a connection is held to headTimeout as well", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: 'headTimeout = "1s"' });
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  assert.equal((await takeAnswer(caller)).status, 200);
  caller.send("GET / HTTP/1.1\r\n");
  assert.equal((await takeAnswer(caller)).status, 408);
});

test("a connection on which nothing is sent is closed after headTimeout without an answer", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: 'headTimeout = "300ms"' });
  assert.equal(await exchange(world.proxyPort, ""), "");
});

test("a connection between two requests is closed after idleTimeout without an answer", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: 'idleTimeout = "300ms"' });
  for (const host of [world.id, "9999"]) {
    const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${host}`));
    await takeAnswer(caller);
    assert.equal(await caller.all(), "");
  }
});

test("idleTimeout does not count while a request is under way", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'idleTimeout = "500ms"\nheadTimeout = "500ms"' });
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  // By the time that an idle connection has been closed, this one would have been too.
  assert.equal(await exchange(world.proxyPort, ""), "");
  connection.send(OK);
  assert.equal((await takeAnswer(caller)).body, "ok");
});

test("a caller that stops amid its body is answered 408 after serviceTimeout", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'serviceTimeout = "300ms"' });
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 10") + "first");
  const refusal = await takeAnswer(caller);
  assert.equal(refusal.status, 408);
  assert.equal(JSON.parse(refusal.body).code, "body-too-slow");
  assert.notEqual(await (await service.next()).closed, "end");
});

test("a body that takes longer than serviceTimeout but keeps coming is served", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'serviceTimeout = "1s"' });
  const caller = new RawCaller(world.proxyPort);
  const pieces = 25;
  caller.send(head("POST / HTTP/1.1", `Host: ${world.id}`, `Content-Length: ${pieces}`));
  const connection = await service.next();
  await connection.takeHead();
  let sent = 0;
  const trickle = setInterval(() => sent++ < pieces ? caller.send("x") : clearInterval(trickle), 50);
  t.after(() => clearInterval(trickle));
  assert.equal(await connection.take(pieces), "x".repeat(pieces));
  connection.send(OK);
  assert.equal((await takeAnswer(caller)).body, "ok");
});
