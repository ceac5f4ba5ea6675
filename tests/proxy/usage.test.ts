import assert from "node:assert/strict";
import test from "node:test";
import { answerCount, answerRegisters, answerStats } from "../../src/usage/usage_answers.ts";
import type { UsageRecord } from "../../src/usage/usage_record.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld, type World } from "../world/world.ts";

/** The figures of the world's registration, once `count` requests and connections are over. */
async function statsOf(world: World, count: number) {
  const record = world.server.running.usage as UsageRecord;
  const range = { start: 0, end: Date.now() + 3_600_000 };
  let stats = await answerStats(record, world.id, range);
  await eventually(`${count} requests and connections are recorded`, async () => {
    stats = await answerStats(record, world.id, range);
    return stats.requests + stats.connections >= count;
  });
  assert.equal(stats.requests + stats.connections, count);
  return stats;
}

/** Waits until a caller's connection is closed on both sides. */
async function closed(caller: RawCaller): Promise<void> {
  caller.close();
  await caller.closed;
}

test("usage: on a kept connection every request counts, with all its bytes both ways", async (t) => {
  const body = "x".repeat(5000);
  const world = await makeWorld(
    t,
    new AnsweringService((request) =>
      request.startsWith("HEAD")
        ? head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`)
        : request.includes("/missing")
        ? `${head("HTTP/1.1 404 Not Found", "Content-Length: 2")}no`
        : `${head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`)}${body}`
    ).accept,
  );
  const caller = new RawCaller(world.proxyPort);
  let sent = 0;
  let got = 0;
  for (const line of ["GET / HTTP/1.1", "GET /missing HTTP/1.1", "GET / HTTP/1.1"]) {
    const request = head(line, `Host: ${world.id}`);
    sent += request.length;
    const answer = await takeAnswer(caller.send(request));
    got += answer.head.length + answer.body.length;
  }
  const request = head("HEAD / HTTP/1.1", `Host: ${world.id}`);
  sent += request.length;
  got += (await caller.send(request).takeHead()).length;
  await closed(caller);
  const stats = await statsOf(world, 4);
  assert.deepEqual(stats.statuses, { "2xx": 3, "4xx": 1 });
  assert.deepEqual([stats.bytesIn, stats.bytesOut], [sent, got]);
  assert.deepEqual([stats.successes, stats.errors], [3, 1]);
  assert.deepEqual(stats.causes, {});
  assert.ok((stats.latency.p50 ?? 0) > 0);
});

test("usage: chunked bodies count as they were sent, chunk sizes and trailers included", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort);
  const request = `${
    head("POST / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked")
  }5\r\nhello\r\n0\r\nA: b\r\n\r\n`;
  caller.send(request);
  const connection = await service.next();
  await connection.takeUntil("0\r\n");
  connection.send(`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}3\r\nabc\r\n0\r\n\r\n`);
  const all = await caller.until((received) => received.endsWith("0\r\n\r\n"));
  await closed(caller);
  const stats = await statsOf(world, 1);
  assert.deepEqual([stats.bytesIn, stats.bytesOut], [request.length, all.length]);
});

test("usage: refusals count with their codes, whosever fault they are", async (t) => {
  const world = await makeWorld(t, (socket) => socket.destroy());
  let got = 0;
  const requests = [
    head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: close"),
    head("CONNECT / HTTP/1.1", "Host: 9999", "Connection: close"),
    head("GET / HTTP/1.1", "Host: 9999", "Connection: close"),
    head("GET / HTTP/1.1", "Host: 9999", "Content-Length: 1", "Content-Length: 2"),
    "no request at all\r\n\r\n",
  ];
  for (const request of requests) got += (await exchange(world.proxyPort, request)).length;
  const stats = await statsOf(world, 1);
  assert.deepEqual(stats.causes, { "service-closed": 1 });
  assert.deepEqual([stats.unavailables, stats.statuses], [1, { "5xx": 1 }]);
  const record = world.server.running.usage as UsageRecord;
  const range = { start: 0, end: Date.now() + 3_600_000 };
  assert.deepEqual(await answerCount(record, range, { type: "requests", brand: "ce" }), { count: 5 });
  assert.deepEqual(await answerCount(record, range, { type: "unavailable", brand: "ce" }), { count: 2 });
  assert.deepEqual(await answerCount(record, range, { type: "errors", code: 400, brand: "ce" }), { count: 2 });
  const nobody = await answerStats(record, "", range);
  assert.equal(nobody.requests, 4);
  assert.equal(nobody.causes["registration-unknown"], 1);
  assert.equal(stats.bytesOut + nobody.bytesOut, got);
  assert.equal(stats.bytesIn + nobody.bytesIn, requests.join("").length);
});

test("usage: a caller that leaves is neither a success nor the service's error", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const silent = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  await (await service.next()).takeHead();
  silent.reset();
  const amid = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(`${head("HTTP/1.1 200 OK", "Content-Length: 100")}some`);
  await amid.untilText("some");
  amid.reset();
  const stats = await statsOf(world, 2);
  assert.deepEqual([stats.left, stats.successes, stats.errors], [2, 0, 0]);
  assert.deepEqual(stats.statuses, { none: 1, "2xx": 1 });
  assert.deepEqual(stats.causes, { "caller-left": 2 });
});

test("usage: an answer that breaks off is an error, under what broke it", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  await connection.takeHead();
  connection.send(`${head("HTTP/1.1 200 OK", "Content-Length: 100")}some`);
  await caller.untilText("some");
  connection.close();
  await caller.closed;
  const stats = await statsOf(world, 1);
  assert.deepEqual([stats.successes, stats.errors], [0, 1]);
  assert.deepEqual(stats.causes, { "service-closed": 1 });
});

test("usage: who is cut off because the server stops has not left", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  await (await service.next()).takeHead();
  await world.server.stop();
  await caller.closed;
  await world.server.start();
  const stats = await statsOf(world, 1);
  assert.deepEqual(stats.causes, { "server-stopped": 1 });
});

test("usage: an upgraded connection counts when it begins, and its bytes while it goes on", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept);
  const request = head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: Upgrade", "Upgrade: echo");
  const caller = new RawCaller(world.proxyPort).send(request);
  const connection = await service.next();
  await connection.takeHead();
  connection.send(`${head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: echo")}hi`);
  const switched = (await caller.untilText("hi")).length;
  caller.send("0123456789");
  await connection.untilText("0123456789");
  connection.send("0123456789abcdef");
  await caller.untilText("abcdef");
  const open = await statsOf(world, 1);
  assert.deepEqual(open.statuses, { "1xx": 1 });
  assert.deepEqual([open.bytesIn, open.bytesOut], [request.length + 10, switched + 16]);
  connection.end();
  caller.end();
  await caller.closed;
  await eventually("the connection is over", async () => /petit_open_connections 0/.test(await metrics(world)));
  const over = await statsOf(world, 1);
  assert.deepEqual([over.bytesIn, over.bytesOut], [open.bytesIn, open.bytesOut]);
});

test("usage: connections to the reverse port count with their bytes, and those that reach no service with the cause", async (t) => {
  const world = await makeWorld(t, (socket) => {
    socket.on("data", (bytes: Buffer) => socket.write(Buffer.concat([bytes, bytes])));
    socket.on("end", () => socket.end());
  });
  const caller = new RawCaller(world.rawPort).send("12345");
  await caller.untilText("1234512345");
  const open = await statsOf(world, 1);
  assert.deepEqual([open.connections, open.bytesIn, open.bytesOut], [1, 5, 10], "while it goes on");
  caller.end();
  await caller.closed;
  for (const socket of world.service.sockets) socket.destroy();
  world.service.server.close();
  await new RawCaller(world.rawPort).closed;
  const stats = await statsOf(world, 2);
  assert.deepEqual([stats.connections, stats.bytesIn, stats.bytesOut, stats.requests], [2, 5, 10, 0]);
  assert.deepEqual(stats.causes, { "service-refused": 1 });
});

test("usage: registrations count, and the record is written when the server stops", async (t) => {
  const world = await makeWorld(t, new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0")).accept);
  await exchange(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: close"));
  await statsOf(world, 1);
  await world.server.stop();
  await world.server.start();
  await statsOf(world, 1);
  const range = { start: 0, end: Date.now() + 3_600_000 };
  assert.deepEqual(await answerRegisters(world.server.running.usage as UsageRecord, range, "ce"), { count: 1 });
});

test("usage: without a usageUrl nothing is kept", async (t) => {
  const service = new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0"));
  const world = await makeWorld(t, service.accept, { server: 'usageUrl = ""' });
  assert.match(await exchange(world.proxyPort, head("GET / HTTP/1.0", `Host: ${world.id}`)), / 200 /);
  assert.equal(world.server.running.usage, undefined);
});

function metrics(world: World): Promise<string> {
  return world.server.running.metrics.metrics();
}
