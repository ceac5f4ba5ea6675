import assert from "node:assert/strict";
import type { Socket } from "node:net";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { RawPeer } from "../world/raw_peer.ts";
import { RawCaller } from "../world/raw_http.ts";
import { RawService } from "../world/raw_service.ts";
import { startService } from "../world/world.ts";
import { type Change, FaultRelay } from "./world/fault_relay.ts";
import { patternOf } from "./world/pattern.ts";
import { eventually } from "../world/eventually.ts";

/** A relay before a service, a connection through it, and both ends of that. */
async function connected(
  t: TestContext,
  change: Change = {},
): Promise<{ relay: FaultRelay; near: RawCaller; far: RawPeer; service: RawService }> {
  const service = new RawService();
  const { port } = await startService(t, service.accept);
  const relay = await FaultRelay.to(t, port, change);
  const near = new RawCaller(relay.port);
  return { relay, near, far: await service.next(), service };
}

test("without faults all bytes pass, and each direction ends by itself", async (t) => {
  const { near, far, relay } = await connected(t);
  const sent = patternOf("up", 3_000_000).toString("latin1");
  near.send(sent).end();
  assert.equal(await far.all(), sent);
  far.send("and back").end();
  assert.equal(await near.all(), "and back");
  await eventually("the relay forgets the connection", () => relay.connections === 0);
});

test("latency and jitter delay bytes and keep their order", async (t) => {
  const { near, far } = await connected(t, { both: { latency: 40, jitter: 40 } });
  const begun = performance.now();
  for (let at = 0; at < 50; at++) {
    near.send(`${at},`);
    await sleep(1);
  }
  const wanted = Array.from({ length: 50 }, (_, at) => `${at},`).join("");
  await far.until((received) => received.length === wanted.length);
  assert.equal(far.received, wanted);
  far.send("ok");
  await near.untilText("ok");
  assert.ok(performance.now() - begun >= 80);
});

test("bandwidth bounds what passes in a second", async (t) => {
  const { near, far } = await connected(t, { up: { bandwidth: 100_000 } });
  const sent = patternOf("slow", 50_000).toString("latin1");
  const begun = performance.now();
  near.send(sent);
  assert.equal(await far.take(50_000), sent);
  const took = performance.now() - begun;
  assert.ok(took > 400 && took < 1500, `${took} ms`);
});

test("a stall in one direction keeps the bytes for later; the other direction goes on", async (t) => {
  const { near, far, relay } = await connected(t);
  await relay.set({ up: { hole: "stall" } });
  near.send("kept");
  far.send("passes");
  await near.untilText("passes");
  await sleep(50);
  assert.equal(far.received, "");
  await relay.heal();
  await far.untilText("kept");
});

test("a hole that drops loses bytes and ends, and the connection stays open", async (t) => {
  const { near, far, relay } = await connected(t);
  near.send("before ");
  await far.untilText("before ");
  await relay.set({ both: { hole: "drop" } });
  near.send("lost ");
  far.send("lost too");
  await sleep(50);
  await relay.heal();
  near.send("after");
  await far.untilText("after");
  assert.equal(far.received, "before after");
  assert.equal(near.received, "");
});

test("who was lost in a hole is found out when the other end sends again", async (t) => {
  const { near, far, relay } = await connected(t);
  near.send("x");
  await far.untilText("x");
  await relay.set({ up: { hole: "drop" } });
  near.reset();
  await sleep(50);
  await relay.heal();
  assert.equal(relay.connections, 1);
  far.send("still there?");
  assert.equal(await far.closed, "ECONNRESET");
  await eventually("the relay forgets the connection", () => relay.connections === 0);
});

test("forgotten connections stay silent for good, new ones pass", async (t) => {
  const { near, far, relay, service } = await connected(t);
  relay.forget();
  near.send("nobody hears");
  far.send("nobody hears");
  const newer = new RawCaller(relay.port);
  newer.send("hello");
  await (await service.next()).untilText("hello");
  assert.deepEqual([near.received, far.received], ["", ""]);
  newer.close();
});

test("refuse: nothing listens; silent: accepted, and nobody is there", async (t) => {
  const { near, far, relay, service } = await connected(t);
  await relay.set({ accepting: "refuse" });
  assert.equal(await new RawCaller(relay.port).closed, "ECONNREFUSED");
  near.send("the old one goes on");
  await far.untilText("goes on");
  await relay.set({ accepting: "silent" });
  const silent = new RawCaller(relay.port);
  silent.send("hello?");
  await eventually("it is accepted", () => relay.accepted === 2);
  await sleep(50);
  assert.deepEqual([silent.received, service.connections.length], ["", 1]);
  await relay.heal();
  assert.equal(await silent.closed, "ECONNRESET");
});

test("a connection is reset in mid-stream, after exactly so many bytes", async (t) => {
  const { near, far } = await connected(t, { up: { resetAfter: 1000 } });
  near.send("x".repeat(600));
  await far.take(600);
  near.send("y".repeat(600));
  assert.equal(await near.closed, "ECONNRESET");
  assert.equal(await far.closed, "ECONNRESET");
  assert.ok(far.received.length <= 400);
});

test("a connection falls silent after exactly so many bytes, in both directions", async (t) => {
  const { near, far } = await connected(t, { up: { silentAfter: 1000 } });
  near.send("x".repeat(1500));
  await far.take(1000);
  far.send("not heard");
  await sleep(50);
  assert.deepEqual([near.received, far.received], ["", ""]);
});

test("a slow close: the FIN is late, the bytes before it are not", async (t) => {
  const { near, far } = await connected(t, { up: { closeDelay: 300 } });
  const begun = performance.now();
  near.send("last words").end();
  await far.untilText("last words");
  const heard = performance.now() - begun;
  assert.equal(await far.closed, "end");
  assert.ok(performance.now() - begun >= 300 && heard < 300, `${heard} ms`);
});

test("slices of one byte arrive as single bytes, all of them", async (t) => {
  const pieces: number[] = [];
  const { port } = await startService(t, (socket: Socket) => {
    socket.on("data", (bytes) => pieces.push(bytes.length));
  });
  const relay = await FaultRelay.to(t, port, { up: { slice: 1, bandwidth: 1000 } });
  new RawCaller(relay.port).send("x".repeat(200));
  await eventually("all have come", () => pieces.reduce((sum, length) => sum + length, 0) === 200);
  assert.ok(pieces.length > 20, `${pieces.length} packets`);
});

test("what the relay keeps is bounded: a sender is held back", async (t) => {
  const { near, relay } = await connected(t, { up: { hole: "stall" } });
  const bytes = patternOf("much", 32 * 1024 ** 2);
  near.socket.write(bytes);
  await sleep(500);
  assert.ok(near.socket.writableLength > 0, "all of it was taken");
  assert.ok(relay.held <= 256 * 1024, `${relay.held} bytes`);
});

test("a target that is not there: the connection is reset", async (t) => {
  const { port } = await startService(t, () => {});
  const gone = await FaultRelay.to(t, port, { accepting: "refuse" });
  const relay = await FaultRelay.to(t, gone.port);
  assert.equal(await new RawCaller(relay.port).closed, "ECONNRESET");
});
