import assert from "node:assert/strict";
import { connect } from "node:net";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { head, RawCaller, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { makeWorld } from "../world/world.ts";

/** A world whose service answers when it is told to. */
async function slowWorld(t: test.TestContext) {
  const waiting: (() => void)[] = [];
  const world = await makeWorld(t, (socket) => {
    socket.on("data", () => waiting.push(() => socket.write(head("HTTP/1.1 200 OK", "Content-Length: 4") + "done")));
    socket.on("end", () => socket.end());
  });
  world.server.config.server.drainFor = 60_000;
  return {
    ...world,
    request: head("GET / HTTP/1.1", `Host: ${world.id}.example.com`),
    asked: () => eventually("the service is asked", () => waiting.length > 0),
    answer: () => waiting.shift()?.(),
  };
}

test("a request in progress gets its answer when the server is asked to stop, and then the server ends", async (t) => {
  const { server, proxyPort, request, asked, answer } = await slowWorld(t);
  const caller = new RawCaller(proxyPort);
  caller.send(request);
  await asked();
  const stopped = server.stop();
  answer();
  const { status, body, head: answerHead } = await takeAnswer(caller);
  assert.deepEqual([status, body, valuesOf(answerHead, "connection")], [200, "done", ["close"]]);
  assert.equal(await caller.all(), "", "the connection ends after it");
  caller.close();
  await stopped;
});

test("a caller that is idle is let go at once, and new ones are refused", async (t) => {
  const { server, proxyPort, request, asked, answer } = await slowWorld(t);
  const idle = new RawCaller(proxyPort);
  idle.send(request);
  await asked();
  answer();
  await takeAnswer(idle);
  const busy = new RawCaller(proxyPort);
  busy.send(request);
  await asked();
  const stopped = server.stop();
  assert.equal(await idle.all(), "");
  idle.close();
  const refused = await new Promise((resolve) =>
    connect(proxyPort, "127.0.0.1").on("error", (error) => resolve((error as NodeJS.ErrnoException).code))
  );
  assert.equal(refused, "ECONNREFUSED");
  answer();
  assert.equal((await takeAnswer(busy)).status, 200);
  busy.close();
  await stopped;
});

test("a connection to a reverse port goes on until it ends, though the server takes no new ones", async (t) => {
  const world = await makeWorld(t, (socket) => socket.pipe(socket));
  world.server.config.server.drainFor = 60_000;
  const caller = new RawPeer(connect({ port: world.rawPort, host: "127.0.0.1", allowHalfOpen: true }));
  caller.send("before");
  assert.equal(await caller.take(6), "before");
  const stopped = world.server.stop();
  caller.send("after");
  assert.equal(await caller.take(5), "after");
  const refused = await new Promise((resolve) =>
    connect(world.rawPort, "127.0.0.1").on("error", (error) => resolve((error as NodeJS.ErrnoException).code))
  );
  assert.equal(refused, "ECONNREFUSED");
  caller.end();
  assert.equal(await caller.all(), "");
  await stopped;
});

test("what has not ended within drainFor is cut off", async (t) => {
  const { server, proxyPort, request, asked } = await slowWorld(t);
  server.config.server.drainFor = 50;
  const caller = new RawCaller(proxyPort);
  caller.send(request);
  await asked();
  await server.stop();
  assert.equal(await caller.all(), "", "no answer, and no half of one");
  caller.close();
});
