import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, statusOf, takeAnswer, valuesOf } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { makeWorld, type World } from "../world/world.ts";

const HOLD = 'holdFor = "20s"';

/** Answers every request with its method and target. */
const echoRequest = (socket: Socket) => {
  let received = "";
  socket.on("data", (bytes) => {
    received += bytes.toString("latin1");
    for (let end = received.indexOf("\r\n\r\n"); end >= 0; end = received.indexOf("\r\n\r\n")) {
      const what = received.slice(0, received.indexOf(" HTTP"));
      received = received.slice(end + 4);
      socket.write(head("HTTP/1.1 200 OK", `Content-Length: ${what.length}`) + what);
    }
  });
  socket.on("end", () => socket.end());
};

const get = (world: World, method = "GET", ...more: string[]) =>
  head(`${method} /${method.toLowerCase()} HTTP/1.1`, `Host: ${world.id}.example.com`, ...more);

/** How many callers wait. */
const waiting = (world: World) => world.server.running.control.held;

async function away(world: World): Promise<void> {
  await world.client.stop();
  await world.server.logged(({ msg }) => msg.includes("disconnected"));
}

test("hold: a request for a client that is away waits, and goes through when the client is back", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: HOLD });
  await away(world);
  const caller = new RawCaller(world.proxyPort);
  caller.send(get(world, "POST", "Content-Length: 0"));
  await eventually("it waits", () => waiting(world) === 1);
  await world.client.start();
  const { status, body } = await takeAnswer(caller);
  assert.deepEqual([status, body], [200, "POST /post"]);
  assert.equal(waiting(world), 0);
  caller.close();
});

test("hold: a request with a body waits with the body unread, and nothing of it is lost", async (t) => {
  const bytes = "x".repeat(3_000_000);
  let received = 0;
  const world = await makeWorld(t, (socket) => {
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received < bytes.length) return;
      socket.end(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok");
    });
  }, { server: HOLD });
  await away(world);
  const caller = new RawCaller(world.proxyPort);
  caller.send(get(world, "POST", `Content-Length: ${bytes.length}`) + bytes);
  await eventually("it waits", () => waiting(world) === 1);
  await world.client.start();
  assert.equal((await takeAnswer(caller)).status, 200);
  caller.close();
});

test("hold: a connection to a reverse port waits, and goes through when the client is back", async (t) => {
  const world = await makeWorld(t, (socket) => socket.pipe(socket), { server: HOLD });
  await away(world);
  const caller = new RawPeer(connect({ port: world.rawPort, host: "127.0.0.1", allowHalfOpen: true }));
  caller.send("before");
  await eventually("it waits", () => waiting(world) === 1);
  await world.client.start();
  assert.equal(await caller.take(6), "before");
  caller.end();
  assert.equal(await caller.all(), "");
});

test("hold: when the client does not come back, 503 says when to try again, and the connection goes on", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: 'holdFor = "200ms"' });
  await away(world);
  const caller = new RawCaller(world.proxyPort);
  const begun = performance.now();
  for (let i = 0; i < 2; i++) {
    caller.send(get(world));
    const answer = await takeAnswer(caller);
    assert.deepEqual([answer.status, valuesOf(answer.head, "retry-after")], [503, ["5"]]);
    assert.match(answer.body, /"code":"tunnel-away"/);
  }
  assert.ok(performance.now() - begun >= 390, "each of them has waited");
  const raw = new RawPeer(connect(world.rawPort, "127.0.0.1"));
  assert.equal(await raw.closed, "ECONNRESET");
  caller.close();
});

test("hold: no more wait than may, and the others are refused at once", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: `${HOLD}\nmaxHeldPerRegistration = 2` });
  await away(world);
  const callers = Array.from({ length: 2 }, () => new RawCaller(world.proxyPort));
  for (const caller of callers) caller.send(get(world));
  await eventually("they wait", () => waiting(world) === 2);
  assert.equal(statusOf(await exchange(world.proxyPort, get(world, "GET", "Connection: close"))), 503);
  await world.client.start();
  for (const caller of callers) assert.equal((await takeAnswer(caller)).status, 200);
  for (const caller of callers) caller.close();
});

test("hold: requests that take more memory than they may are refused at once", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: `${HOLD}\nmaxHeldSize = "1KiB"` });
  await away(world);
  const large = `X-Large: ${"x".repeat(2000)}`;
  assert.equal(statusOf(await exchange(world.proxyPort, get(world, "GET", large, "Connection: close"))), 503);
});

test("hold: a caller that leaves while it waits is forgotten", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: HOLD });
  await away(world);
  const caller = new RawCaller(world.proxyPort);
  caller.send(get(world));
  await eventually("it waits", () => waiting(world) === 1);
  caller.close();
  await eventually("it is forgotten", () => waiting(world) === 0);
});

test("hold: who waits is refused when the server stops", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: HOLD });
  await away(world);
  const caller = new RawCaller(world.proxyPort);
  caller.send(get(world));
  await eventually("it waits", () => waiting(world) === 1);
  world.server.config.server.drainFor = 5000;
  await world.server.stop();
  assert.equal((await takeAnswer(caller)).status, 503);
  caller.close();
});

test("hold: an unknown registration is not waited for", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: HOLD });
  const answer = await exchange(world.proxyPort, head("GET / HTTP/1.1", "Host: 9999.example.com", "Connection: close"));
  assert.equal(statusOf(answer), 404);
});

test("hold: after a restart of the server the reverse port is open before the client is back", async (t) => {
  const world = await makeWorld(t, (socket) => socket.pipe(socket), { server: HOLD });
  await away(world);
  await world.server.stop();
  await world.server.start();
  const caller = new RawPeer(connect(world.rawPort, "127.0.0.1"));
  caller.send("hello");
  await eventually("it waits", () => waiting(world) === 1);
  await world.client.start();
  assert.equal(await caller.take(5), "hello");
  caller.close();
});

/** A world whose service says nothing to a request, and a way to have the tunnel break off under it. */
async function silentWorld(t: test.TestContext) {
  const asked: string[] = [];
  const world = await makeWorld(t, (socket) => socket.on("data", (bytes) => asked.push(bytes.toString("latin1"))), {
    server: HOLD,
    client: 'reconnectDelayMax = "60s"',
  });
  /** A newer tunnel of the same client takes over, whose service answers. */
  const takeOver = async () => {
    const newer = new SshPeer(t);
    newer.client.on("tcp connection", (_, accept) => {
      accept().on("data", () => {}).end(head("HTTP/1.1 200 OK", "Content-Length: 5") + "newer");
    });
    await newer.login(world.server, world.id, [keyOf(world.client)]);
    await newer.forward("127.0.0.1", world.rawPort);
  };
  return { ...world, asked, takeOver };
}

for (const method of ["GET", "HEAD", "DELETE"]) {
  test(`lost tunnel: a ${method} of which nothing came back is sent again down the next one`, async (t) => {
    const world = await silentWorld(t);
    const caller = new RawCaller(world.proxyPort);
    caller.send(get(world as World, method));
    await eventually("the service is asked", () => world.asked.length === 1);
    await world.takeOver();
    assert.equal(statusOf(await caller.takeHead()), 200);
    caller.close();
  });
}

test("lost tunnel: a POST whose bytes went down it is not sent again", async (t) => {
  const world = await silentWorld(t);
  const caller = new RawCaller(world.proxyPort);
  caller.send(get(world as World, "POST", "Content-Length: 0"));
  await eventually("the service is asked", () => world.asked.length === 1);
  await world.takeOver();
  const answer = await takeAnswer(caller);
  assert.equal(answer.status, 503);
  assert.match(answer.body, /"code":"tunnel-lost"/);
  caller.close();
});

test("lost tunnel: a PUT whose body has begun to go down it is not sent again", async (t) => {
  const world = await silentWorld(t);
  const caller = new RawCaller(world.proxyPort);
  caller.send(get(world as World, "PUT", "Content-Length: 10") + "half");
  await eventually("the service is asked", () => world.asked.join("").endsWith("half"));
  await world.takeOver();
  assert.equal((await takeAnswer(caller)).status, 503);
  caller.close();
});

test("lost tunnel: a GET whose answer has begun is broken off, and not sent again", async (t) => {
  const world = await makeWorld(t, (socket) => {
    socket.once("data", () => socket.write(head("HTTP/1.1 200 OK", "Content-Length: 10") + "half"));
  }, { server: HOLD });
  const caller = new RawCaller(world.proxyPort);
  caller.send(get(world));
  await caller.untilText("half");
  await world.client.stop();
  assert.equal(await caller.closed, "ECONNRESET");
  caller.close();
});

test("hold: more than the tunnel takes at a time go through one after the other", async (t) => {
  const world = await makeWorld(t, echoRequest, { server: HOLD, ssh: "maxPendingOpens = 3" });
  await away(world);
  const callers = Array.from({ length: 40 }, () => new RawCaller(world.proxyPort));
  for (const caller of callers) caller.send(get(world));
  await eventually("they wait", () => waiting(world) === callers.length);
  await world.client.start();
  for (const caller of callers) assert.equal((await takeAnswer(caller)).status, 200);
  for (const caller of callers) caller.close();
});
