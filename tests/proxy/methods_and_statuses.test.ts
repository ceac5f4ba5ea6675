import assert from "node:assert/strict";
import test from "node:test";
import { head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 0");

const METHODS = [
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "FOO",
  "get",
  "M-SEARCH",
  "a!#$%&'*+-.^_`|~9",
];

test("every method reaches the service as it is written, also those that nobody has heard of", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (const method of METHODS) {
    caller.send(head(`${method} /path HTTP/1.1`, `Host: ${world.id}`));
    assert.equal((await takeAnswer(caller)).status, 200, method);
  }
  assert.deepEqual(
    service.heads.map((text) => text.split("\r\n")[0]),
    METHODS.map((method) => `${method} /path HTTP/1.1`),
  );
});

test("any method may have a body", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (const method of ["GET", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "FOO"]) {
    caller.send(head(`${method} / HTTP/1.1`, `Host: ${world.id}`, "Content-Length: 4") + "body");
    const connection = await service.next();
    const text = await connection.takeHead();
    assert.deepEqual(valuesOf(text, "content-length"), ["4"]);
    assert.equal(await connection.take(4), "body");
    const last = !["PROPFIND", "FOO"].includes(method);
    connection.send(head("HTTP/1.1 200 OK", "Content-Length: 0", ...(last ? [] : ["Connection: close"])));
    assert.match(await caller.takeHead(), /^HTTP\/1\.1 200 /);
    // Services that look for no body behind such a method would take it for the next request.
    assert.deepEqual(valuesOf(text, "connection"), last ? ["close"] : []);
    await connection.closed;
  }
});

test("TRACE has no body", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  for (const framing of [["Content-Length: 4"], ["Transfer-Encoding: chunked"]]) {
    const caller = new RawCaller(world.proxyPort).send(head("TRACE / HTTP/1.1", `Host: ${world.id}`, ...framing));
    assert.equal((await takeAnswer(caller)).status, 400);
  }
  assert.deepEqual(service.heads, []);
});

test("a request target reaches the service as it is written", async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  const targets = [
    "/",
    "/a//b/../c/./%2e%2E/d",
    "/?",
    "/?a=b&a=c%20d+e",
    "//double",
    "/%00%zz",
    "/;p=1,2:@!$'()*",
    '/"<>\\^`{|}',
    "/\xfc\xe9",
  ];
  for (const target of targets) {
    caller.send(head(`GET ${target} HTTP/1.1`, `Host: ${world.id}`));
    assert.equal((await takeAnswer(caller)).status, 200, target);
  }
  assert.deepEqual(service.heads.map((text) => text.split(" ")[1]), targets);
});

test("the answer to HEAD keeps its length and has no body", async (t) => {
  const service = new AnsweringService((text) =>
    text.startsWith("HEAD /length")
      ? head("HTTP/1.1 200 OK", "Content-Length: 1000")
      : text.startsWith("HEAD")
      ? head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
      : head("HTTP/1.1 200 OK", "Content-Length: 4") + "next"
  );
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (const [path, length] of [["/length", ["1000"]], ["/chunked", []]] as const) {
    caller.send(head(`HEAD ${path} HTTP/1.1`, `Host: ${world.id}`));
    assert.deepEqual(valuesOf(await caller.takeHead(), "content-length"), length);
    // The connection is in step: the next answer begins right there.
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    assert.equal((await takeAnswer(caller)).body, "next");
  }
  // A body that a careless service sends to HEAD would be the beginning of the next answer: nothing follows on that connection.
  assert.equal(service.connections, 3);
});

test("304 keeps its length and has no body, 204 has neither", async (t) => {
  const service = new AnsweringService((text) =>
    text.startsWith("GET /304")
      ? head("HTTP/1.1 304 Not Modified", 'ETag: "x"', "Content-Length: 1000")
      : text.startsWith("GET /204")
      ? head("HTTP/1.1 204 No Content", "X-A: b")
      : head("HTTP/1.1 200 OK", "Content-Length: 4") + "next"
  );
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (const [status, length] of [["304", ["1000"]], ["204", []]] as const) {
    caller.send(head(`GET /${status} HTTP/1.1`, `Host: ${world.id}`));
    const text = await caller.takeHead();
    assert.ok(text.startsWith(`HTTP/1.1 ${status} `));
    assert.deepEqual(valuesOf(text, "content-length"), length);
    assert.deepEqual(valuesOf(text, "transfer-encoding"), []);
    caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    assert.equal((await takeAnswer(caller)).body, "next");
  }
  // The announced length makes the end of that answer uncertain.
  assert.equal(service.connections, 2);
});

test("204 with a length that the service should not have sent goes without it", async (t) => {
  const service = new AnsweringService(head("HTTP/1.1 204 No Content", "Content-Length: 0"));
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  assert.deepEqual(valuesOf(await caller.takeHead(), "content-length"), []);
});

test("205 and other statuses, known or not, go as they are with their reason or without", async (t) => {
  const lines = [
    "205 Reset Content",
    "299 Something Else",
    "418 I'm a teapot",
    "599 ",
    "404 Nicht gefunden \xfc",
    "500 ",
    "302 Found",
  ];
  const service = new AnsweringService((text) =>
    head(`HTTP/1.1 ${lines[Number(text.split(" ")[1]?.slice(1))]}`, "Content-Length: 0")
  );
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  for (const [index, line] of lines.entries()) {
    caller.send(head(`GET /${index} HTTP/1.1`, `Host: ${world.id}`));
    assert.equal((await caller.takeHead()).split("\r\n")[0], `HTTP/1.1 ${line}`);
  }
});

test("a status line without a reason is mended", async (t) => {
  const service = new AnsweringService(head("HTTP/1.1 200", "Content-Length: 0"));
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  // RFC 9112, section 4: the space behind the code belongs there even when there is no reason.
  assert.equal((await caller.takeHead()).split("\r\n")[0], "HTTP/1.1 200 ");
});
