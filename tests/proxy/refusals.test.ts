import assert from "node:assert/strict";
import test from "node:test";
import { type Answer, head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 0");

/** Checks all that a program relies on in a refusal. */
function assertRefusal(answer: Answer, status: number, code: string): void {
  assert.equal(answer.status, status, answer.head);
  assert.deepEqual(valuesOf(answer.head, "content-type"), ["application/json"]);
  assert.deepEqual(valuesOf(answer.head, "cache-control"), ["no-store"]);
  const { g2c, code: actual, message, request, ...more } = JSON.parse(answer.body);
  assert.equal(g2c, "unavailable");
  assert.equal(actual, code);
  assert.match(message, /^[A-Z].{20,}\.$/);
  assert.match(request, /^[0-9a-f]{8}-[0-9a-z]+$/);
  assert.deepEqual(valuesOf(answer.head, "x-request-id"), [request]);
  assert.deepEqual(more, {});
  assert.ok(answer.body.includes('"g2c":"unavailable"'), "0.6.x callers look for this text");
}

async function ask(port: number, ...lines: string[]): Promise<{ caller: RawCaller; answer: Answer }> {
  const caller = new RawCaller(port).send(head(...lines));
  return { caller, answer: await takeAnswer(caller) };
}

test("a host that names no registration is answered 404 registration-unknown", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept);
  for (const host of ["9999", "nobody.example.com", ""]) {
    const { answer } = await ask(world.proxyPort, "GET / HTTP/1.1", `Host: ${host}`);
    assertRefusal(answer, 404, "registration-unknown");
  }
});

test("a registration whose client is away is answered 503 tunnel-away with Retry-After", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept);
  await world.client.stop();
  await world.server.logged(({ msg }) => msg.includes("disconnected"));
  const { answer } = await ask(world.proxyPort, "GET / HTTP/1.1", `Host: ${world.id}`);
  assertRefusal(answer, 503, "tunnel-away");
  assert.match(valuesOf(answer.head, "retry-after")[0] ?? "", /^[1-9]\d*$/);
});

test("a registration is served again once its client is back", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept);
  await world.client.stop();
  await world.server.logged(({ msg }) => msg.includes("disconnected"));
  await world.client.start();
  const { answer } = await ask(world.proxyPort, "GET / HTTP/1.1", `Host: ${world.id}`);
  assert.equal(answer.status, 200);
});

test("a tunnel that is lost while a request waits is answered 503 tunnel-lost with Retry-After", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  await (await service.next()).takeHead();
  await world.client.stop();
  const answer = await takeAnswer(caller);
  assertRefusal(answer, 503, "tunnel-lost");
  assert.match(valuesOf(answer.head, "retry-after")[0] ?? "", /^[1-9]\d*$/);
});

test("a service that refuses connections is answered 502 service-refused", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept);
  await new Promise((resolve) => world.service.server.close(resolve));
  const { answer } = await ask(world.proxyPort, "GET / HTTP/1.1", `Host: ${world.id}`);
  assertRefusal(answer, 502, "service-refused");
});

test("a service that takes the request and stays silent is answered 504 service-silent", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'serviceTimeout = "300ms"' });
  const { answer } = await ask(world.proxyPort, "GET / HTTP/1.1", `Host: ${world.id}`);
  assertRefusal(answer, 504, "service-silent");
  assert.match(await (await service.next()).takeHead(), /^GET \/ /);
});

test("a service that closes before it answers is answered 502 service-closed", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  for (const leave of ["end", "reset"] as const) {
    const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection[leave]();
    assertRefusal(await takeAnswer(caller), 502, "service-closed");
  }
});

test("a service that closes amid the head of its answer is answered 502 service-closed", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n").end();
  assertRefusal(await takeAnswer(caller), 502, "service-closed");
});

const garbage: [what: string, bytes: string][] = [
  ["no status line", "garbage\r\n\r\n"],
  ["another protocol's greeting", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
  ["HTTP/2", "HTTP/2 200 OK\r\n\r\n"],
  ["a status code of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status code below 100", "HTTP/1.1 099 Early\r\n\r\n"],
  ["bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"],
  ["a field line without a colon", head("HTTP/1.1 200 OK", "Content-Length 2")],
  ["a NUL in a field", head("HTTP/1.1 200 OK", "X-A: b\0c", "Content-Length: 0")],
  ["a bare carriage return in a field", head("HTTP/1.1 200 OK", "X-A: b\rc", "Content-Length: 0")],
  ["two lengths", head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 3") + "ok"],
  ["a length that is no number", head("HTTP/1.1 200 OK", "Content-Length: 2x") + "ok"],
  ["an unknown transfer coding", head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip") + "ok"],
  ["a head without an end", `HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(70_000)}`],
];

for (const [what, bytes] of garbage) {
  test(`a service that answers with ${what} is answered 502 service-invalid`, async (t) => {
    const service = new RawService();
    const world = await makeWorld(t, service.accept);
    const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(bytes);
    assertRefusal(await takeAnswer(caller), 502, "service-invalid");
    await connection.closed;
  });
}

test("a connection stays usable after a refused request without a body", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept);
  const { caller, answer } = await ask(world.proxyPort, "GET / HTTP/1.1", "Host: 9999");
  assertRefusal(answer, 404, "registration-unknown");
  assert.deepEqual(valuesOf(answer.head, "connection"), []);
  caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  assert.equal((await takeAnswer(caller)).status, 200);
});

test("a refused request with a body closes its connection, and the body is not taken for a request", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const inside = head("GET /inside HTTP/1.1", `Host: ${world.id}`);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST / HTTP/1.1", "Host: 9999", `Content-Length: ${inside.length}`) + inside);
  const answer = await takeAnswer(caller);
  assertRefusal(answer, 404, "registration-unknown");
  assert.deepEqual(valuesOf(answer.head, "connection"), ["close"]);
  assert.equal(await caller.all(), "");
  assert.deepEqual(service.heads, []);
});

test("a refused HEAD request is answered without a body", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("HEAD / HTTP/1.1", "Host: 9999") + head("GET / HTTP/1.1", `Host: ${world.id}`));
  assert.match(await caller.takeHead(), /^HTTP\/1\.1 404 /);
  assert.equal((await takeAnswer(caller)).status, 200);
});

test("a HEAD request that the service does not answer is refused without a body", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("HEAD / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.end();
  assert.match(await caller.takeHead(), /^HTTP\/1\.1 502 /);
  assert.equal(await caller.all(), "");
});

/** What a caller would like to see in an answer that bears this server's name. */
const MARK = "zz<script>zz";
const TOKEN = "ZzScriptZz-".repeat(20);

const REFLECTIONS: [where: string, bytes: (id: string) => string][] = [
  ["the method", (id) => head(`${MARK} / HTTP/1.1`, `Host: ${id}`)],
  ["a method that is a token", (id) => head(`${TOKEN} ${TOKEN} HTTP/1.1`, `Host: ${id}`)],
  ["the target", (id) => head(`GET ${MARK} HTTP/1.1`, `Host: ${id}`)],
  ["a target with a fragment", (id) => head(`GET /#${MARK} HTTP/1.1`, `Host: ${id}`)],
  ["the version", (id) => head(`GET / ${MARK}`, `Host: ${id}`)],
  ["a host that is none", () => head("GET / HTTP/1.1", `Host: ${MARK}`)],
  ["a host that names nothing", () => head(`GET /${MARK} HTTP/1.1`, `Host: ${TOKEN}.example`)],
  ["a name", (id) => head("GET / HTTP/1.1", `Host: ${id}`, `${MARK}: a`)],
  ["the name of a bad value", (id) => head("GET / HTTP/1.1", `Host: ${id}`, `${TOKEN}: a\0`)],
  ["an odd name of a bad value", (id) => head("GET / HTTP/1.1", `Host: ${id}`, "ZzScript'`!&Zz: a\0")],
  ["a value", (id) => head("GET / HTTP/1.1", `Host: ${id}`, `X-A: ${MARK}\0`)],
  ["a length", (id) => head("POST / HTTP/1.1", `Host: ${id}`, `Content-Length: ${MARK}`)],
  ["a coding", (id) => head("POST / HTTP/1.1", `Host: ${id}`, `Transfer-Encoding: ${MARK}`)],
  ["an expectation", (id) => head("POST / HTTP/1.1", `Host: ${id}`, "Content-Length: 1", `Expect: ${MARK}`)],
  ["a size", (id) => head("POST / HTTP/1.1", `Host: ${id}`, "Transfer-Encoding: chunked") + `${MARK}\r\n`],
];

test("a refusal holds nothing that the caller has chosen, and no browser takes it for a page", async (t) => {
  const world = await makeWorld(t, new RawService().accept);
  for (const [where, bytes] of REFLECTIONS) {
    const caller = new RawCaller(world.proxyPort).send(bytes(world.id));
    const answer = await takeAnswer(caller);
    caller.close();
    assert.ok(answer.status >= 400, where);
    assert.doesNotMatch(answer.head + answer.body, /zzscript|zz</i, where);
    assert.deepEqual(valuesOf(answer.head, "content-type"), ["application/json"], where);
    assert.deepEqual(valuesOf(answer.head, "x-content-type-options"), ["nosniff"], where);
  }
});
