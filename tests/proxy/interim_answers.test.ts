import assert from "node:assert/strict";
import test from "node:test";
import { head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const CONTINUE = head("HTTP/1.1 100 Continue");
const OK = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

test("100 Continue comes when the service sends it, and not before", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 4", "Expect: 100-continue"));
  const connection = await service.next();
  assert.deepEqual(valuesOf(await connection.takeHead(), "expect"), ["100-continue"]);
  // The field shows whose answer it is.
  connection.send(head("HTTP/1.1 100 Continue", "X-From: service"));
  assert.equal(await caller.takeHead(), head("HTTP/1.1 100 Continue", "X-From: service"));
  caller.send("body");
  assert.equal(await connection.take(4), "body");
  connection.send(OK);
  assert.equal((await takeAnswer(caller)).body, "ok");
});

test("100 Continue works for a chunked body, and the connection serves further requests", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (let round = 0; round < 2; round++) {
    caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked", "Expect: 100-continue"));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(CONTINUE);
    assert.equal(await caller.takeHead(), CONTINUE);
    caller.send("4\r\nbody\r\n0\r\n\r\n");
    assert.equal(await connection.takeUntil("0\r\n\r\n"), "4\r\nbody\r\n0\r\n\r\n");
    connection.send(OK);
    assert.equal((await takeAnswer(caller)).body, "ok");
  }
});

test("a final answer instead of 100 Continue reaches the caller, and the connection closes behind it", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 4", "Expect: 100-continue"));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 417 Expectation Failed", "Content-Length: 3") + "no!");
  const answer = await takeAnswer(caller);
  assert.equal(answer.status, 417);
  assert.equal(answer.body, "no!");
  // Whether the body still follows is unknown, so nothing behind this can be told from it (RFC 9110, section 10.1.1).
  assert.deepEqual(valuesOf(answer.head, "connection"), ["close"]);
  assert.equal(await caller.all(), "");
});

test("100 and the final answer in one packet are two answers", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 4") + "body");
  const connection = await service.next();
  await connection.takeUntil("body");
  connection.send(CONTINUE + OK);
  assert.equal(await caller.takeHead(), CONTINUE);
  assert.equal((await takeAnswer(caller)).body, "ok");
});

test("103 Early Hints reach the caller before the answer, each with its fields", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  for (const hint of ["</a.css>; rel=preload", "</b.js>; rel=preload"]) {
    connection.send(head("HTTP/1.1 103 Early Hints", `Link: ${hint}`));
    assert.equal(await caller.takeHead(), head("HTTP/1.1 103 Early Hints", `Link: ${hint}`));
  }
  connection.send(OK);
  assert.equal((await takeAnswer(caller)).body, "ok");
});

test("hop-by-hop fields of an interim answer stay behind", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(
    head("HTTP/1.1 103 Early Hints", "Connection: X-Hop", "X-Hop: 1", "Link: </a>", "Keep-Alive: timeout=5"),
  );
  assert.equal(await caller.takeHead(), head("HTTP/1.1 103 Early Hints", "Link: </a>"));
});

test("an HTTP/1.0 caller gets no interim answers, and its Expect is not passed on", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.0", `Host: ${world.id}`, "Content-Length: 4", "Expect: 100-continue") + "body");
  const connection = await service.next();
  assert.deepEqual(valuesOf(await connection.takeHead(), "expect"), []);
  connection.send(head("HTTP/1.1 103 Early Hints", "Link: </a>") + CONTINUE + OK);
  const all = await caller.all();
  assert.match(all, /^HTTP\/1\.1 200 OK\r\n/);
  assert.doesNotMatch(all, / 10[03] /);
});

test("an interim answer is no answer: a service that then closes is answered 502", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 102 Processing")).end();
  assert.equal(await caller.takeHead(), head("HTTP/1.1 102 Processing"));
  assert.equal((await takeAnswer(caller)).status, 502);
});

test("a service that is silent to Expect: 100-continue is to blame, not the caller that waits for it", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'serviceTimeout = "300ms"' });
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 4", "Expect: 100-continue"));
  const refusal = await takeAnswer(caller);
  assert.equal(refusal.status, 504);
  assert.equal(JSON.parse(refusal.body).code, "service-silent");
});

test("an interim answer reaches the caller without a length, since it has no body", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  // RFC 9110, section 8.6. A caller that believed it would take the final answer for the body.
  connection.send(head("HTTP/1.1 103 Early Hints", "Content-Length: 5", "Link: </a>") + OK);
  assert.equal(await caller.takeHead(), head("HTTP/1.1 103 Early Hints", "Link: </a>"));
  assert.equal((await takeAnswer(caller)).body, "ok");
});
