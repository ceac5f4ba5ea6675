import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import { FIRST } from "../world/certificates.ts";
import { RawCaller } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { RawService } from "../world/raw_service.ts";
import {
  asking,
  BINARY,
  CLOSE,
  CONTINUATION,
  type Frame,
  frameBytes,
  GOING_AWAY,
  PING,
  SWITCHING,
  takeFrame,
  TEXT,
} from "../world/websocket.ts";
import { makeWorld, type World } from "../world/world.ts";

/** Longer than any of these tests may take: nothing here waits for the end of it. */
const PATIENT = 600_000;
const SLOW = { timeout: 60_000 };

const TO_CALLER = { opcode: CLOSE, payload: GOING_AWAY, fin: true, masked: false };
const TO_SERVICE = { ...TO_CALLER, masked: true };

interface Upgraded {
  world: World;
  caller: RawPeer;
  service: RawPeer;
}

/** A caller and a service that speak WebSocket, or `protocol`, with each other. */
async function upgraded(t: TestContext, protocol?: string): Promise<Upgraded> {
  const services = new RawService();
  const world = await makeWorld(t, services.accept, {
    client: `drainFor = "${PATIENT}ms"`,
    server: 'accessLog = "json"',
  });
  world.server.config.server.drainFor = PATIENT;
  const caller = new RawCaller(world.proxyPort).send(asking(world.id, protocol));
  t.after(() => caller.close());
  const service = await services.next();
  await service.takeHead();
  service.send(protocol === undefined ? SWITCHING : SWITCHING.replace("websocket", protocol));
  await caller.takeHead();
  return { world, caller, service };
}

const fromCaller = (frame: Frame) => frameBytes({ ...frame, masked: true });

/** Takes the Close frames that both are sent and answers them; both connections then end, without a reset. */
async function closeBoth({ caller, service }: Upgraded): Promise<void> {
  assert.deepEqual(await takeFrame(caller), TO_CALLER);
  assert.deepEqual(await takeFrame(service), TO_SERVICE);
  caller.send(fromCaller({ opcode: CLOSE, payload: GOING_AWAY }));
  service.send(frameBytes({ opcode: CLOSE, payload: GOING_AWAY }));
  await endBoth({ caller, service });
}

async function endBoth({ caller, service }: Pick<Upgraded, "caller" | "service">): Promise<void> {
  for (const peer of [caller, service]) {
    assert.equal(await peer.closed, "end");
    assert.equal(peer.received, "", "nothing follows a Close frame");
    peer.end();
  }
}

const DRAINS = {
  "a server that stops": ({ server }: World) => server.stop(),
  "a client that stops": ({ client }: World) => client.stop(),
};

for (const [what, stop] of Object.entries(DRAINS)) {
  test(`${what} closes a WebSocket in order, and waits no longer than that takes`, SLOW, async (t) => {
    const all = await upgraded(t);
    all.caller.send(fromCaller({ opcode: TEXT, payload: "question" }));
    assert.equal((await takeFrame(all.service)).payload, "question");
    all.service.send(frameBytes({ opcode: TEXT, payload: "answer" }));
    assert.equal((await takeFrame(all.caller)).payload, "answer");
    const stopped = stop(all.world);
    await closeBoth(all);
    const begun = performance.now();
    await stopped;
    t.diagnostic(`${what}: over ${Math.round(performance.now() - begun)} ms after the last answer`);
    assert.deepEqual(all.world.server.log.filter(({ level }) => level === "warn" || level === "error"), []);
  });

  test(`${what} waits for the frames that are under way in both directions, and lets none follow`, SLOW, async (t) => {
    const all = await upgraded(t);
    const large = { opcode: BINARY, payload: "\x88\x02\x03\xe9".repeat(300_000) };
    const [up, down] = [fromCaller(large), frameBytes(large)];
    all.caller.send(up.slice(0, 5));
    all.service.send(down.slice(0, 700_001));
    assert.equal(await all.service.take(5), up.slice(0, 5));
    assert.equal(await all.caller.take(700_001), down.slice(0, 700_001));
    const stopped = stop(all.world);
    // Each of the two directions is waited for on its own.
    all.service.send(down.slice(700_001) + frameBytes({ opcode: TEXT, payload: "too late" }));
    assert.ok(await all.caller.take(down.length - 700_001) === down.slice(700_001));
    assert.deepEqual(await takeFrame(all.caller), TO_CALLER);
    all.caller.send(up.slice(5) + fromCaller({ opcode: TEXT, payload: "too late" }));
    all.caller.send(fromCaller({ opcode: CLOSE, payload: GOING_AWAY }));
    assert.ok(await all.service.take(up.length - 5) === up.slice(5));
    assert.deepEqual(await takeFrame(all.service), TO_SERVICE);
    all.service.send(frameBytes({ opcode: CLOSE, payload: GOING_AWAY }));
    await endBoth(all);
    await stopped;
  });
}

test(
  "a Close frame stands between the fragments of a message, and not in a header that is under way",
  SLOW,
  async (t) => {
    const all = await upgraded(t);
    const fragments = [
      { opcode: TEXT, payload: "first, ", fin: false },
      { opcode: PING, payload: "" },
      { opcode: CONTINUATION, payload: "second, ".repeat(20), fin: false },
    ];
    const [down, up] = [fragments.map(frameBytes).join(""), fragments.map(fromCaller).join("")];
    const second = (fragments[2] as Frame).payload.length;
    const cut = down.length - second - 3;
    all.service.send(down.slice(0, cut));
    assert.equal(await all.caller.take(cut), down.slice(0, cut));
    all.caller.send(up);
    assert.equal(await all.service.take(up.length), up);
    const stopped = all.world.server.stop();
    assert.deepEqual(await takeFrame(all.service), TO_SERVICE);
    const last = frameBytes({ opcode: CONTINUATION, payload: "third" });
    await all.service.sendApart([down.slice(cut, cut + 2), down.slice(cut + 2), last]);
    assert.equal(await all.caller.take(down.length - cut), down.slice(cut));
    assert.deepEqual(await takeFrame(all.caller), TO_CALLER);
    all.caller.send(fromCaller({ opcode: CLOSE, payload: GOING_AWAY }));
    all.service.send(frameBytes({ opcode: CLOSE, payload: GOING_AWAY }));
    await endBoth(all);
    await stopped;
  },
);

test("frames that flow both ways while the server stops arrive whole or not at all", SLOW, async (t) => {
  const all = await upgraded(t);
  const stream = (send: (frame: Frame) => unknown, peer: RawPeer) => {
    let count = 0;
    const timer = setInterval(() => {
      for (let more = 0; more < 20; more++) send({ opcode: BINARY, payload: `${count++} `.repeat(more * 40) });
    }, 1);
    peer.socket.on("end", () => clearInterval(timer));
    t.after(() => clearInterval(timer));
    return () => clearInterval(timer);
  };
  const quiet = [
    stream((frame) => all.caller.send(fromCaller(frame)), all.caller),
    stream((frame) => all.service.send(frameBytes(frame)), all.service),
  ];
  const receive = async (peer: RawPeer) => {
    for (let count = 0;; count++) {
      const frame = await takeFrame(peer);
      if (frame.opcode === CLOSE) return { frame, count };
      assert.equal(frame.payload, `${count} `.repeat((count % 20) * 40));
    }
  };
  const received = Promise.all([receive(all.caller), receive(all.service)]);
  await all.caller.until((text) => text.length > 0);
  const stopped = all.world.server.stop();
  const [atCaller, atService] = await received;
  assert.deepEqual([atCaller.frame, atService.frame], [TO_CALLER, TO_SERVICE]);
  for (const stop of quiet) stop();
  all.caller.send(fromCaller({ opcode: CLOSE, payload: GOING_AWAY }));
  all.service.send(frameBytes({ opcode: CLOSE, payload: GOING_AWAY }));
  await endBoth(all);
  await stopped;
});

test("a caller that reads slowly gets every frame that is on its way, and then the Close frame", SLOW, async (t) => {
  const all = await upgraded(t);
  all.caller.socket.pause();
  const payload = "x".repeat(100_000);
  // More than all buffers on the way take.
  all.service.send(frameBytes({ opcode: BINARY, payload }).repeat(200));
  all.caller.send(fromCaller({ opcode: TEXT, payload: "question" }));
  assert.equal((await takeFrame(all.service)).payload, "question");
  const stopped = all.world.server.stop();
  assert.deepEqual(await takeFrame(all.service), TO_SERVICE);
  all.service.send(frameBytes({ opcode: CLOSE, payload: GOING_AWAY }));
  all.caller.socket.resume();
  let frame = await takeFrame(all.caller);
  let count = 0;
  for (; frame.opcode === BINARY; count++, frame = await takeFrame(all.caller)) assert.ok(frame.payload === payload);
  assert.ok(count > 0);
  assert.deepEqual(frame, TO_CALLER);
  all.caller.send(fromCaller({ opcode: CLOSE, payload: GOING_AWAY }));
  await endBoth(all);
  await stopped;
});

test("peers that never answer the Close are not waited for, and see an end", SLOW, async (t) => {
  const all = await upgraded(t);
  const begun = performance.now();
  const stopped = all.world.server.stop();
  assert.deepEqual(await takeFrame(all.caller), TO_CALLER);
  assert.deepEqual(await takeFrame(all.service), TO_SERVICE);
  assert.equal(await all.caller.closed, "end");
  assert.equal(await all.service.closed, "end");
  const ended = performance.now() - begun;
  await stopped;
  t.diagnostic(`ended after ${Math.round(ended)} ms, stopped after ${Math.round(performance.now() - begun)} ms`);
  assert.ok(ended >= 1900, "they had time to answer");
});

test("peers that end their connections instead of an answer are taken at their word", SLOW, async (t) => {
  const all = await upgraded(t);
  const stopped = all.world.server.stop();
  const begun = performance.now();
  for (const peer of [all.service, all.caller]) {
    await takeFrame(peer);
    peer.end();
  }
  for (const peer of [all.service, all.caller]) assert.equal(await peer.closed, "end");
  await stopped;
  t.diagnostic(`stopped after ${Math.round(performance.now() - begun)} ms`);
});

for (const side of ["caller", "service"] as const) {
  test(`a ${side} that breaks off on its Close frame does not break off the other`, SLOW, async (t) => {
    const all = await upgraded(t);
    const other = side === "caller" ? all.service : all.caller;
    const stopped = all.world.server.stop();
    await takeFrame(all[side]);
    all[side].reset();
    assert.equal((await takeFrame(other)).payload, GOING_AWAY);
    assert.equal(await other.closed, "end");
    other.end();
    await stopped;
  });
}

test("a WebSocket that is closing already is left to its peers", SLOW, async (t) => {
  const all = await upgraded(t);
  const normal = { opcode: CLOSE, payload: "\x03\xe8" };
  all.caller.send(fromCaller(normal));
  assert.equal((await takeFrame(all.service)).payload, normal.payload);
  const stopped = all.world.server.stop();
  await all.service.sendApart([frameBytes({ opcode: TEXT, payload: "last words" }), frameBytes(normal)]);
  assert.equal((await takeFrame(all.caller)).payload, "last words");
  assert.equal((await takeFrame(all.caller)).payload, normal.payload);
  all.service.end();
  all.caller.end();
  await endBoth(all);
  await stopped;
});

test("what names itself a WebSocket and sends no frames is passed on as it is", SLOW, async (t) => {
  const all = await upgraded(t);
  all.caller.send("GET / HTTP/1.1\r\n");
  assert.equal(await all.service.take(16), "GET / HTTP/1.1\r\n");
  const stopped = all.world.server.stop();
  await assertGoesOn(all);
  await stopped;
});

test("another protocol goes on, though the server or the client stops", SLOW, async (t) => {
  for (const stop of Object.values(DRAINS)) {
    const all = await upgraded(t, "raw");
    const stopped = stop(all.world);
    await assertGoesOn(all);
    await stopped;
  }
});

/** What the access log says of the only connection, after the server's end. */
function recorded({ server }: World): unknown[] {
  const { kind, status, code } = JSON.parse(readFileSync(join(server.config.server.logFolder, "access.log"), "utf8"));
  return [kind, status, code];
}

async function assertGoesOn(all: Upgraded): Promise<void> {
  all.caller.send("more");
  assert.equal(await all.service.take(4), "more");
  all.service.send("and more").end();
  assert.equal(await all.caller.take(8), "and more");
  all.caller.end();
  await endBoth(all);
}

test("inside TLS a WebSocket is closed in the same way", SLOW, async (t) => {
  const services = new RawService();
  const world = await makeWorld(t, services.accept);
  const { certificates } = world.server.config.server;
  mkdirSync(certificates, { recursive: true });
  writeFileSync(join(certificates, "server.key"), FIRST.key, { mode: 0o600 });
  writeFileSync(join(certificates, "server.crt"), FIRST.cert);
  await world.server.logged(({ msg }) => msg.startsWith("HTTPS proxy listens"));
  world.server.config.server.drainFor = PATIENT;
  const port = world.server.running.secureProxyPort as number;
  const caller = new RawPeer(
    connectTls({ port, host: "127.0.0.1", ca: FIRST.cert, checkServerIdentity: () => undefined }),
  );
  t.after(() => caller.close());
  caller.send(asking(world.id));
  const service = await services.next();
  await service.takeHead();
  service.send(SWITCHING);
  await caller.takeHead();
  const stopped = world.server.stop();
  await closeBoth({ world, caller, service });
  await stopped;
});

test("an upgrade that is agreed on while the server stops is closed at once", SLOW, async (t) => {
  const services = new RawService();
  const world = await makeWorld(t, services.accept);
  world.server.config.server.drainFor = PATIENT;
  const caller = new RawCaller(world.proxyPort).send(asking(world.id));
  const service = await services.next();
  await service.takeHead();
  const stopped = world.server.stop();
  service.send(SWITCHING);
  await caller.takeHead();
  await closeBoth({ world, caller, service });
  await stopped;
});

test("an upgrade that is agreed on after a successor has taken over is closed at once", SLOW, async (t) => {
  const services = new RawService();
  const world = await makeWorld(t, services.accept);
  const caller = new RawCaller(world.proxyPort).send(asking(world.id));
  const service = await services.next();
  await service.takeHead();
  world.server.running.handOver();
  service.send(SWITCHING);
  await caller.takeHead();
  await closeBoth({ world, caller, service });
});

test("a frame that does not end within drainFor is cut off with its connection", SLOW, async (t) => {
  const all = await upgraded(t);
  all.world.server.config.server.drainFor = 100;
  const part = fromCaller({ opcode: BINARY, payload: "x".repeat(1000) }).slice(0, 500);
  all.caller.send(part);
  assert.equal(await all.service.take(500), part);
  await all.world.server.stop();
  assert.deepEqual(await takeFrame(all.caller), TO_CALLER);
  await all.service.closed;
  assert.equal(all.service.received, "", "no Close frame in the middle of another");
  assert.deepEqual(recorded(all.world), ["upgrade", 101, "server-stopped"]);
});

test("a WebSocket that was closed in order is not recorded as a failure", SLOW, async (t) => {
  const all = await upgraded(t);
  const stopped = all.world.server.stop();
  await closeBoth(all);
  await stopped;
  assert.deepEqual(recorded(all.world), ["upgrade", 101, null]);
});
