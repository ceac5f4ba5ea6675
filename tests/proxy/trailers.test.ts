import assert from "node:assert/strict";
import test from "node:test";
import { exchange, head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 0");

/** Fields that frame, route or authorise: no recipient may take them from behind the body (RFC 9110, section 6.5.1). */
const FORBIDDEN = [
  "Transfer-Encoding: chunked",
  "Content-Length: 5",
  "Host: other.example.com",
  "Trailer: X-Sum",
  "Connection: close",
  "TE: trailers",
  "Upgrade: raw",
  "Authorization: Basic eA==",
  "Cookie: a=b",
  "Set-Cookie: a=b",
  "Content-Encoding: gzip",
  "Content-Type: text/html",
  "Content-Range: bytes 0-1/2",
  "Expect: 100-continue",
  "X-Forwarded-For: 1.2.3.4",
  "Forwarded: for=1.2.3.4",
];

test("trailers of a request reach the service in their order and case", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked", "Trailer: X-Sum, X-More"));
  const connection = await service.next();
  assert.deepEqual(valuesOf(await connection.takeHead(), "trailer"), ["X-Sum, X-More"]);
  caller.send("2\r\nok\r\n0\r\nX-Sum: 1\r\nx-MORE:2\r\nX-Sum: 3\r\n\r\n");
  assert.equal(await connection.takeUntil("\r\n\r\n"), "2\r\nok\r\n0\r\nX-Sum: 1\r\nx-MORE: 2\r\nX-Sum: 3\r\n\r\n");
});

test("trailers of an answer reach the caller in their order and case", async (t) => {
  const service = new AnsweringService(
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Sum") +
      "2\r\nok\r\n0\r\nX-Sum: 1\r\nServer-Timing: a;dur=1\r\nx-sum: 2\r\n\r\n",
  );
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("GET / HTTP/1.1", `Host: ${world.id}`, "TE: trailers", "Connection: TE"));
  const answer = await takeAnswer(caller);
  assert.deepEqual(valuesOf(answer.head, "trailer"), ["X-Sum"]);
  assert.equal(answer.body, "ok");
  assert.equal(answer.trailers, "X-Sum: 1\r\nServer-Timing: a;dur=1\r\nx-sum: 2\r\n");
});

test("trailers that frame, route or authorise are dropped, and the others stay", async (t) => {
  const lines = `X-First: 1\r\n${FORBIDDEN.map((line) => `${line}\r\n`).join("")}X-Last: 2\r\n`;
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked") + `0\r\n${lines}\r\n`);
  const connection = await service.next();
  await connection.takeHead();
  assert.equal(await connection.takeUntil("\r\n\r\n"), "0\r\nX-First: 1\r\nX-Last: 2\r\n\r\n");
  connection.send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + `0\r\n${lines}\r\n`);
  assert.equal((await takeAnswer(caller)).trailers, "X-First: 1\r\nX-Last: 2\r\n");
});

test('"TE: trailers" of the caller is told to the service, other codings are not', async (t) => {
  const service = new AnsweringService(OK);
  const world = await makeWorld(t, service.accept);
  const ask = (...lines: string[]) => exchange(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`, ...lines));
  await ask("TE: trailers", "Connection: close, TE");
  await ask("TE: gzip, Trailers", "Connection: close, TE");
  await ask("TE: gzip", "Connection: close, TE");
  await ask("Connection: close");
  assert.deepEqual(service.heads.map((text) => valuesOf(text, "te")), [["trailers"], ["trailers"], [], []]);
  // RFC 9110, section 10.1.4: who sends TE names it in Connection.
  assert.deepEqual(service.heads.map((text) => valuesOf(text, "connection").includes("TE")), [
    true,
    true,
    false,
    false,
  ]);
});

test("an HTTP/1.0 caller gets no trailers", async (t) => {
  const service = new AnsweringService(
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
  );
  const world = await makeWorld(t, service.accept);
  const all = await exchange(world.proxyPort, head("GET / HTTP/1.0", `Host: ${world.id}`));
  assert.ok(all.endsWith("\r\n\r\nok"), all);
  assert.doesNotMatch(all, /X-Sum/);
});
