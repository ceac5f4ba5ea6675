import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import type { RawPeer } from "../world/raw_peer.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

/** A caller and the connection on which its GET request has reached the service. */
async function asked(t: TestContext, version = "HTTP/1.1"): Promise<{ caller: RawCaller; connection: RawPeer }> {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head(`GET / ${version}`, `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  return { caller, connection };
}

test("a chunked answer stays chunked, and its extensions stay behind", async (t) => {
  const { caller, connection } = await asked(t);
  connection.send(
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "3;a=b\r\none\r\n00A ; c\r\n0123456789\r\n0\r\n\r\n",
  );
  const answer = await takeAnswer(caller);
  assert.deepEqual(valuesOf(answer.head, "transfer-encoding"), ["chunked"]);
  assert.equal(answer.body, "one0123456789");
});

test("an answer with both a length and chunks is read by its chunks, and the length goes", async (t) => {
  const { caller, connection } = await asked(t);
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked") + "3\r\none\r\n0\r\n\r\n");
  const answer = await takeAnswer(caller);
  assert.deepEqual(valuesOf(answer.head, "content-length"), []);
  assert.equal(answer.body, "one");
});

test("an answer whose length is repeated reaches the caller with one length", async (t) => {
  for (const lines of [["Content-Length: 2", "Content-Length: 2"], ["Content-Length: 2, 2"]]) {
    const { caller, connection } = await asked(t);
    connection.send(head("HTTP/1.1 200 OK", ...lines) + "ok");
    const answer = await takeAnswer(caller);
    // RFC 9110, section 8.6: such a value is replaced with a single one, or the message is refused.
    assert.deepEqual(valuesOf(answer.head, "content-length"), ["2"]);
    assert.equal(answer.body, "ok");
  }
});

test("an answer that ends with its connection reaches an HTTP/1.1 caller in chunks, and the caller's connection lives on", async (t) => {
  const service = new AnsweringService((_head, connection) => {
    setImmediate(() => connection.end());
    return `${head("HTTP/1.1 200 OK")}until the end`;
  });
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (let round = 0; round < 3; round++) {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const answer = await takeAnswer(caller);
    assert.deepEqual(valuesOf(answer.head, "transfer-encoding"), ["chunked"]);
    assert.equal(answer.body, "until the end");
  }
});

test("an answer without a body that ends with its connection is complete", async (t) => {
  const { caller, connection } = await asked(t);
  connection.send(head("HTTP/1.1 200 OK")).end();
  assert.equal((await takeAnswer(caller)).body, "");
});

for (const leave of ["end", "reset"] as const) {
  test(`an answer shorter than its length is not taken for complete (${leave})`, async (t) => {
    const { caller, connection } = await asked(t);
    connection.send(head("HTTP/1.1 200 OK", "Content-Length: 10") + "short");
    await caller.untilText("short");
    connection[leave]();
    assert.notEqual(await caller.closed, "end");
    assert.ok(caller.received.endsWith("\r\n\r\nshort"));
  });

  test(`a chunked answer without its last chunk is not taken for complete (${leave})`, async (t) => {
    const { caller, connection } = await asked(t);
    connection.send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nshort\r\n");
    await caller.untilText("short");
    connection[leave]();
    assert.notEqual(await caller.closed, "end");
    assert.ok(caller.received.endsWith("\r\n\r\n5\r\nshort\r\n"));
  });
}

test("an answer until the end of its connection that is broken off by a reset gets no last chunk", async (t) => {
  const { caller, connection } = await asked(t);
  connection.send(`${head("HTTP/1.1 200 OK")}short`);
  await caller.untilText("short");
  connection.reset();
  assert.notEqual(await caller.closed, "end");
  assert.ok(caller.received.endsWith("5\r\nshort\r\n"), caller.received);
});

test("an answer until the end of its connection that is broken off by a reset is reset for an HTTP/1.0 caller", async (t) => {
  const { caller, connection } = await asked(t, "HTTP/1.0");
  connection.send(`${head("HTTP/1.1 200 OK")}short`);
  await caller.untilText("short");
  connection.reset();
  assert.notEqual(await caller.closed, "end");
});

test("an answer until the end of its connection that is broken off by the loss of the tunnel is not complete", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  for (const version of ["HTTP/1.0", "HTTP/1.1"]) {
    const caller = new RawCaller(world.proxyPort).send(head(`GET / ${version}`, `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(`${head("HTTP/1.1 200 OK")}short`);
    await caller.untilText("short");
    await world.client.stop();
    assert.notEqual(await caller.closed, "end");
    assert.doesNotMatch(caller.received, /0\r\n\r\n$/);
    await world.client.start();
  }
});

const brokenChunks: [what: string, bytes: string][] = [
  ["a size that is no number", "5\r\nshort\r\nxyz\r\n"],
  ["a negative size", "5\r\nshort\r\n-1\r\n"],
  ["a chunk longer than its size", "5\r\nshorter\r\n"],
  ["a bare line feed behind a size", "5\r\nshort\r\n3\none\r\n"],
  ["a trailer that is no field", "5\r\nshort\r\n0\r\nno field\r\n\r\n"],
];

for (const [what, bytes] of brokenChunks) {
  test(`a chunked answer with ${what} is broken off and not taken for complete`, async (t) => {
    const { caller, connection } = await asked(t);
    connection.send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "1\r\n.\r\n");
    await caller.untilText("1\r\n.\r\n");
    connection.send(bytes);
    assert.notEqual(await caller.closed, "end");
    assert.doesNotMatch(caller.received, /\r\n0\r\n/);
    await connection.closed;
  });
}

test("bytes behind a complete answer are not taken for the next answer", async (t) => {
  const answer = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";
  const service = new AnsweringService(answer + head("HTTP/1.1 200 OK", "X-Extra: 1", "Content-Length: 0"));
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (let round = 0; round < 3; round++) {
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const answer = await takeAnswer(caller);
    assert.equal(answer.body, "ok");
    assert.deepEqual(valuesOf(answer.head, "x-extra"), []);
  }
  // A connection on which more came than was asked for is not used again.
  assert.equal(service.connections, 3);
});
