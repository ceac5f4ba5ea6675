import assert from "node:assert/strict";
import test, { before } from "node:test";
import { BulkWriter, pausedCaller, readHeadAndPause } from "../world/bulk.ts";
import { fileScope } from "../world/file_scope.ts";
import { exchange, head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import type { RawPeer } from "../world/raw_peer.ts";
import { RawService } from "../world/raw_service.ts";
import { makeWorld, type World } from "../world/world.ts";

/** An answer that a caller would like another caller to get. */
const POISON = head("HTTP/1.1 200 OK", "Content-Length: 8", "X-Poison: 1") + "poisoned";
const OK = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

/** An answer that others may see the end of elsewhere, and what the caller makes of petit's. */
interface Ambiguous {
  readonly what: string;
  readonly method?: string;
  readonly answer: string;
  readonly status?: number;
  /** The body that the caller gets; undefined where it takes the head alone. */
  readonly body?: string;
}

const AMBIGUOUS: readonly Ambiguous[] = [
  {
    what: "a length beside chunks",
    answer: head("HTTP/1.1 200 OK", "Content-Length: 200", "Transfer-Encoding: chunked") + "2\r\nok\r\n0\r\n\r\n",
    body: "ok",
  },
  {
    what: "a smaller length beside chunks",
    answer: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Content-Length: 2") + "2\r\nok\r\n0\r\n\r\n",
    body: "ok",
  },
  {
    what: "chunks of HTTP/1.0",
    answer: head("HTTP/1.0 200 OK", "Connection: keep-alive", "Transfer-Encoding: chunked") + "2\r\nok\r\n0\r\n\r\n",
    body: "ok",
  },
  { what: "a length to HEAD", method: "HEAD", answer: head("HTTP/1.1 200 OK", `Content-Length: ${POISON.length}`) },
  { what: "chunks to HEAD", method: "HEAD", answer: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") },
  {
    what: "204 with a length",
    answer: head("HTTP/1.1 204 No Content", `Content-Length: ${POISON.length}`),
    status: 204,
  },
  { what: "204 with chunks", answer: head("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked"), status: 204 },
  {
    what: "304 with a length",
    answer: head("HTTP/1.1 304 Not Modified", `Content-Length: ${POISON.length}`),
    status: 304,
  },
  { what: "304 with chunks", answer: head("HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked"), status: 304 },
  {
    what: "two lengths",
    answer: head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 0") + "ok",
    status: 502,
  },
  { what: "a list of lengths", answer: head("HTTP/1.1 200 OK", "Content-Length: 2, 0") + "ok", status: 502 },
  { what: "a length with a sign", answer: head("HTTP/1.1 200 OK", "Content-Length: +2") + "ok", status: 502 },
  {
    what: "a coding that is not chunked",
    answer: head("HTTP/1.1 200 OK", "Transfer-Encoding: xchunked") + "ok",
    status: 502,
  },
  {
    what: "chunked twice",
    answer: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked") + "0\r\n\r\n",
    status: 502,
  },
  { what: "a bare LF in a value", answer: head("HTTP/1.1 200 OK", "X-A: b\nContent-Length: 2") + "ok", status: 502 },
  { what: "a bare CR in a value", answer: head("HTTP/1.1 200 OK", "X-A: b\rContent-Length: 2") + "ok", status: 502 },
  { what: "a NUL in a value", answer: head("HTTP/1.1 200 OK", "X-A: \0", "Content-Length: 2") + "ok", status: 502 },
  { what: "bare LFs as line ends", answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", status: 502 },
  { what: "no status line", answer: `ok\r\n\r\n${OK}`, status: 502 },
  { what: "another answer in the same packet", answer: OK + POISON, body: "ok" },
  { what: "a byte too many", answer: `${OK}!`, body: "ok" },
];

/** Sends a request as another caller; tells which of the service's connections it came on. */
async function otherArrivesOn(world: World, service: RawService, old: RawPeer): Promise<RawPeer> {
  const other = new RawCaller(world.proxyPort).send(head("GET /other HTTP/1.1", `Host: ${world.id}`));
  const next = service.next();
  const connection = await Promise.race([next, old.untilText("GET /other").then(() => old, () => next)]);
  await connection.takeHead();
  // What the service still sends would be the answer to whoever came next.
  old.send(POISON);
  connection.send(head("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 5") + "other");
  const answer = await takeAnswer(other);
  assert.equal(answer.body, "other");
  assert.deepEqual(valuesOf(answer.head, "x-poison"), []);
  other.close();
  return connection;
}

const scope = fileScope();
const service = new RawService();
let world: World;
before(async () => {
  world = await makeWorld(scope, service.accept);
});

for (const { what, method = "GET", answer, status = 200, body } of AMBIGUOUS) {
  test(`an answer that is the last on its connection, whatever comes behind it: ${what}`, async () => {
    const caller = new RawCaller(world.proxyPort).send(head(`${method} /attack HTTP/1.1`, `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(answer);
    if (status === 502) assert.equal((await takeAnswer(caller)).status, 502);
    else if (body !== undefined) assert.equal((await takeAnswer(caller)).body, body);
    else assert.match(await caller.takeHead(), new RegExp(`^HTTP/1\\.1 ${status} `));
    assert.notEqual(await otherArrivesOn(world, service, connection), connection);
    assert.equal(caller.received, "");
    caller.close();
  });
}

test("a length that is empty first reaches the caller as the one that is gone by", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: ", "Content-Length: 2") + "ok");
  const answer = await takeAnswer(caller);
  assert.deepEqual(valuesOf(answer.head, "content-length"), ["2"]);
  assert.equal(answer.body, "ok");
});

test("an ordinary answer leaves its connection to the next caller", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  for (const answer of [OK, head("HTTP/1.1 204 No Content"), head("HTTP/1.1 304 Not Modified", "ETag: a")]) {
    const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = service.connections[0] ?? await service.next();
    await connection.takeHead();
    connection.send(answer);
    await takeAnswer(caller);
    caller.close();
  }
  assert.equal(service.connections.length, 1);
});

test("an answer that comes before anybody has asked is nobody's", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(OK);
  assert.equal((await takeAnswer(caller)).body, "ok");
  connection.send(POISON);
  // The idle connection is given up as soon as it speaks.
  await connection.closed;
  assert.notEqual(await otherArrivesOn(world, service, connection), connection);
});

test("a service that answers a request with interim answers without end is stopped by a caller that does not read", async (t) => {
  const { promise, resolve } = Promise.withResolvers<import("node:net").Socket>();
  const world = await makeWorld(t, (socket) => void readHeadAndPause(socket).then(() => resolve(socket)));
  const caller = pausedCaller(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`));
  t.after(() => caller.destroy());
  const hint = head("HTTP/1.1 103 Early Hints", `Link: ${"a".repeat(1000)}`);
  const size = 200 * 1024 * 1024;
  const writer = new BulkWriter(await promise, size, Buffer.from(hint.repeat(256)));
  await writer.stalled();
  assert.ok(writer.written < size / 4, `${writer.written} bytes were taken from the service`);
});

test("interim answers without end do not put off the time in which the service has to answer", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'serviceTimeout = "500ms"' });
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  const timer = setInterval(() => connection.send(head("HTTP/1.1 102 Processing")), 50);
  t.after(() => clearInterval(timer));
  assert.match(await caller.untilText("HTTP/1.1 504 "), /^HTTP\/1\.1 102 Processing\r\n/);
});

test("what a caller has begun to read of an answer does not become another caller's when it leaves", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK", `Content-Length: ${2 + POISON.length}`) + "ok");
  await caller.untilText("ok");
  caller.reset();
  connection.send(POISON);
  await connection.closed;
  assert.notEqual(await otherArrivesOn(world, service, connection), connection);
});

test("answers to pipelined requests stay in step when one of them is refused", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const get = (path: string, host: string) => head(`GET ${path} HTTP/1.1`, `Host: ${host}`);
  const requests = get("/a", world.id) + get("/b", "nowhere.example") + get("/c", world.id);
  const asking = exchange(
    world.proxyPort,
    requests + head("GET /d HTTP/1.1", `Host: ${world.id}`, "Content-Length: x"),
  );
  const connection = await service.next();
  for (const path of ["/a", "/c"]) {
    assert.match(await connection.takeHead(), new RegExp(`^GET ${path} `));
    connection.send(head("HTTP/1.1 200 OK", "Content-Length: 2") + path);
  }
  const statuses = [...(await asking).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.deepEqual(statuses, ["200", "404", "200", "400"]);
});
