import assert from "node:assert/strict";
import test from "node:test";
import { head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const TOO_LARGE = head("HTTP/1.1 413 Content Too Large", "Content-Length: 9") + "too large";

test("a final answer amid the upload reaches the caller, and the connection closes behind it", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 1000000000") + "first part");
  const connection = await service.next();
  await connection.takeUntil("first part");
  connection.send(TOO_LARGE);
  const answer = await takeAnswer(caller);
  assert.equal(answer.status, 413);
  assert.equal(answer.body, "too large");
  assert.deepEqual(valuesOf(answer.head, "connection"), ["close"]);
  assert.equal(await caller.closed, "end");
  await connection.closed;
});

test("a final answer reaches a caller that goes on uploading for a while", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 1000000000") + "first part");
  const connection = await service.next();
  await connection.takeUntil("first part");
  connection.send(TOO_LARGE);
  // More than the buffers hold: read and thrown away, since a reset would take the answer away again.
  for (let sent = 0; sent < 16; sent++) {
    await new Promise<unknown>((resolve) => caller.socket.write(Buffer.alloc(1024 * 1024), resolve));
  }
  const answer = await takeAnswer(caller);
  assert.equal(answer.status, 413);
  assert.equal(answer.body, "too large");
});

test("a service that answers early and closes at once is heard", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked") + "5\r\nfirst\r\n");
  const connection = await service.next();
  await connection.takeUntil("first");
  connection.send(TOO_LARGE).end();
  assert.equal((await takeAnswer(caller)).body, "too large");
});

test("an early answer that is still being sent does not stop the upload", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 10") + "first");
  const connection = await service.next();
  await connection.takeUntil("first");
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 10") + "begin");
  await caller.untilText("begin");
  caller.send("later");
  assert.equal(await connection.take(5), "later");
  connection.send("-end-");
  assert.equal((await takeAnswer(caller)).body, "begin-end-");
  assert.equal(await caller.closed, "end");
});

test("the rest of an upload that was answered early is not taken for a request", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const inside = head("GET /inside HTTP/1.1", `Host: ${world.id}`);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, `Content-Length: ${inside.length}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(TOO_LARGE);
  assert.equal((await takeAnswer(caller)).status, 413);
  caller.send(inside);
  assert.equal(await caller.all(), "");
  assert.equal(service.connections.length, 1);
  assert.doesNotMatch(connection.received, /inside/);
});

test("a body that breaks off amid an early answer does not put a refusal into that answer", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked") + "5\r\nfirst\r\n");
  const connection = await service.next();
  await connection.takeUntil("first");
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 1000") + "begin");
  await caller.untilText("begin");
  caller.send("not a chunk size\r\n");
  await caller.closed;
  assert.ok(caller.received.endsWith("\r\n\r\nbegin"), caller.received);
});
