import assert from "node:assert/strict";
import test from "node:test";
import { head, RawCaller } from "../world/raw_http.ts";
import { RawService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const PIECES = ["one ", "two ", "three ", "four "];
const LENGTH = PIECES.join("").length;

test("a request body with a length reaches the service piece by piece", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST / HTTP/1.1", `Host: ${world.id}`, `Content-Length: ${LENGTH}`));
  const connection = await service.next();
  await connection.takeHead();
  for (const piece of PIECES) {
    caller.send(piece);
    assert.equal(await connection.take(piece.length), piece);
  }
});

test("a chunked request body reaches the service chunk by chunk", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked"));
  const connection = await service.next();
  await connection.takeHead();
  for (const piece of PIECES) {
    const chunk = `${piece.length}\r\n${piece}\r\n`;
    caller.send(chunk);
    assert.equal(await connection.take(chunk.length), chunk);
  }
  caller.send("0\r\n\r\n");
  assert.equal(await connection.take(5), "0\r\n\r\n");
});

test("a part of a chunk reaches the service before the rest of the chunk is sent", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked") + "a\r\n01234");
  const connection = await service.next();
  await connection.takeHead();
  assert.equal(await connection.takeUntil("01234"), "5\r\n01234");
  caller.send("56789\r\n0\r\n\r\n");
  assert.equal(await connection.takeUntil("0\r\n\r\n"), "\r\n5\r\n56789\r\n0\r\n\r\n");
});

test("an answer with a length reaches the caller piece by piece", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK", `Content-Length: ${LENGTH}`));
  await caller.takeHead();
  for (const piece of PIECES) {
    connection.send(piece);
    assert.equal(await caller.take(piece.length), piece);
  }
});

test("a chunked answer reaches the caller chunk by chunk", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"));
  await caller.takeHead();
  for (const piece of [...PIECES.map((text) => `${text.length}\r\n${text}\r\n`), "0\r\n\r\n"]) {
    connection.send(piece);
    assert.equal(await caller.take(piece.length), piece);
  }
});

test("an answer that ends with its connection reaches the caller piece by piece", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK"));
  await caller.takeHead();
  for (const piece of PIECES) {
    connection.send(piece);
    assert.equal(await caller.takeUntil(`${piece}\r\n`), `${piece.length}\r\n${piece}\r\n`);
  }
  connection.end();
  assert.equal(await caller.take(5), "0\r\n\r\n");
});

test("each server-sent event reaches the caller before the next is sent", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("GET /events HTTP/1.1", `Host: ${world.id}`, "Accept: text/event-stream"));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Cache-Control: no-cache"));
  assert.match(await caller.takeHead(), /\r\nContent-Type: text\/event-stream\r\n/);
  for (let number = 1; number <= 20; number++) {
    connection.send(`id: ${number}\ndata: event ${number}\n\n`);
    assert.match(await caller.takeUntil("\n\n"), new RegExp(`id: ${number}\ndata: event ${number}\n\n$`));
  }
});

test("request and answer stream at the same time", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("POST /echo HTTP/1.1", `Host: ${world.id}`, `Content-Length: ${LENGTH}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(head("HTTP/1.1 200 OK", `Content-Length: ${LENGTH}`));
  await caller.takeHead();
  for (const piece of PIECES) {
    caller.send(piece);
    connection.send(await connection.take(piece.length));
    assert.equal(await caller.take(piece.length), piece);
  }
});

test("a message that comes byte by byte arrives whole in both directions", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  const request = head("POST /bytes HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked") +
    "5;x=y\r\nhello\r\n0\r\nX-Trailer: end\r\n\r\n";
  await caller.sendApart(request);
  const connection = await service.next();
  assert.match(await connection.takeHead(), /^POST \/bytes HTTP\/1\.1\r\n/);
  assert.match(await connection.takeUntil("end\r\n\r\n"), /^(?:[1-5]\r\n[helo]+\r\n)+0\r\nX-Trailer: end\r\n\r\n$/);
  await connection.sendApart(
    head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "3\r\nyes\r\n0\r\nX-Trailer: yes\r\n\r\n",
  );
  assert.match(await caller.takeHead(), /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(await caller.takeUntil("yes\r\n\r\n"), /^(?:[1-3]\r\n[yes]+\r\n)+0\r\nX-Trailer: yes\r\n\r\n$/);
});
