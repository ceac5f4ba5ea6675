import assert from "node:assert/strict";
import test from "node:test";
import { exchange, RawCaller, statusOf } from "../world/raw_http.ts";
import { makeWorld } from "../world/world.ts";

test("a request to the HTTP proxy reaches the service and its answer the caller", async (t) => {
  const world = await makeWorld(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-From: service\r\n\r\nhello"));
  });
  const answer = await exchange(
    world.proxyPort,
    `GET /path HTTP/1.1\r\nHost: ${world.id}.example.com\r\nConnection: close\r\n\r\n`,
  );
  assert.equal(statusOf(answer), 200);
  assert.match(answer, /X-From: service\r\n/);
  assert.ok(answer.endsWith("\r\n\r\nhello"));
});

test("bytes on the reverse port reach the service as they are, and half-close works both ways", async (t) => {
  const world = await makeWorld(t, (socket) => {
    let received = "";
    socket.on("data", (bytes) => received += bytes.toString());
    // Answers only once the caller has finished sending.
    socket.on("end", () => socket.end(received.toUpperCase()));
  });
  const caller = new RawCaller(world.rawPort);
  caller.send("some bytes\r\n");
  caller.socket.end();
  assert.equal(await caller.all(), "SOME BYTES\r\n");
});
