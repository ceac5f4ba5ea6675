import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { makeWorld, type World } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

async function rawWorld(t: TestContext): Promise<{ world: World; service: RawService }> {
  const service = new RawService();
  return { world: await makeWorld(t, service.accept), service };
}

/** The ways to leave: a close (FIN, and RST for whatever still comes), and a reset at once. */
for (const leave of ["close", "reset"] as const) {
  test(`a caller that leaves while it waits ends the request at the service (${leave})`, async (t) => {
    const { world, service } = await rawWorld(t);
    const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    caller[leave]();
    await connection.closed;
  });

  test(`a caller that leaves during a download ends it at the service (${leave})`, async (t) => {
    const { world, service } = await rawWorld(t);
    const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(head("HTTP/1.1 200 OK", "Content-Length: 1000000000"));
    const block = Buffer.alloc(64 * 1024);
    const goOn = (error?: Error | null) => error || connection.socket.write(block, goOn);
    goOn();
    await caller.until((received) => received.length > 100_000);
    caller[leave]();
    await connection.closed;
  });

  test(`a caller that leaves during a quiet download ends it at the service (${leave})`, async (t) => {
    const { world, service } = await rawWorld(t);
    const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
    const connection = await service.next();
    await connection.takeHead();
    connection.send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "5\r\nevent\r\n");
    await caller.untilText("event");
    caller[leave]();
    await connection.closed;
  });

  test(`a caller that leaves during an upload resets it at the service (${leave})`, async (t) => {
    const { world, service } = await rawWorld(t);
    const caller = new RawCaller(world.proxyPort);
    caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 1000") + "first part");
    const connection = await service.next();
    await connection.takeUntil("first part");
    caller[leave]();
    // An orderly end might be taken for the end of the body by a service that looks no closer.
    assert.notEqual(await connection.closed, "end");
  });

  test(`a caller that leaves during a chunked upload resets it at the service (${leave})`, async (t) => {
    const { world, service } = await rawWorld(t);
    const caller = new RawCaller(world.proxyPort);
    caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked") + "5\r\nfirst\r\n");
    const connection = await service.next();
    await connection.takeUntil("first");
    caller[leave]();
    assert.notEqual(await connection.closed, "end");
    assert.doesNotMatch(connection.received, /0\r\n\r\n/);
  });

  test(`a caller that leaves with a second request waiting ends the first, and the second is not sent (${leave})`, async (t) => {
    const { world, service } = await rawWorld(t);
    const request = head("GET / HTTP/1.1", `Host: ${world.id}`);
    const caller = new RawCaller(world.proxyPort).send(request + request);
    const connection = await service.next();
    await connection.takeHead();
    caller[leave]();
    await connection.closed;
    assert.equal(connection.received, "");
    assert.equal(service.connections.length, 1);
  });
}

test("a caller that ends amid its body, and keeps listening, is not answered as if it were complete", async (t) => {
  const { world, service } = await rawWorld(t);
  const caller = new RawCaller(world.proxyPort);
  caller.send(head("PUT / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 1000") + "first part");
  const connection = await service.next();
  await connection.takeUntil("first part");
  caller.end();
  assert.notEqual(await connection.closed, "end");
  assert.doesNotMatch(await caller.all(), / 200 /);
});

for (
  const [what, request] of [
    ["a request without a body", (id: string) => head("GET / HTTP/1.1", `Host: ${id}`)],
    ["a request with a body", (id: string) => head("POST / HTTP/1.1", `Host: ${id}`, "Content-Length: 4") + "body"],
    [
      "a request with a chunked body",
      (id: string) => head("POST / HTTP/1.1", `Host: ${id}`, "Transfer-Encoding: chunked") + "4\r\nbody\r\n0\r\n\r\n",
    ],
  ] as const
) {
  test(`a caller that ends its direction behind ${what} is answered`, async (t) => {
    const service = new AnsweringService((text) => /^[A-Z]/.test(text) ? OK : "");
    const world = await makeWorld(t, service.accept);
    const all = await new RawCaller(world.proxyPort).send(request(world.id)).end().all();
    assert.ok(all.endsWith("\r\n\r\nok"), all);
  });
}

test("a caller that ends its direction gets all of an answer that keeps coming", async (t) => {
  const { world, service } = await rawWorld(t);
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`)).end();
  const connection = await service.next();
  await connection.takeHead();
  // It takes longer than the second after which a caller that takes no bytes counts as gone.
  const pieces = 25;
  connection.send(head("HTTP/1.1 200 OK", `Content-Length: ${pieces}`));
  let sent = 0;
  const trickle = setInterval(() => sent++ < pieces ? connection.send("x") : clearInterval(trickle), 100);
  t.after(() => clearInterval(trickle));
  const all = await caller.all();
  assert.ok(all.endsWith(`\r\n\r\n${"x".repeat(pieces)}`), all);
});

test("a caller that ends its direction behind two requests gets both answers", async (t) => {
  let count = 0;
  const service = new AnsweringService(() => head("HTTP/1.1 200 OK", `X-Number: ${++count}`, "Content-Length: 0"));
  const world = await makeWorld(t, service.accept);
  const request = head("GET / HTTP/1.1", `Host: ${world.id}`);
  const all = await new RawCaller(world.proxyPort).send(request + request).end().all();
  assert.deepEqual([...all.matchAll(/X-Number: (\d)/g)].map(([, number]) => number), ["1", "2"]);
});

test("a caller that ends its direction behind an incomplete head is let go", async (t) => {
  const { world, service } = await rawWorld(t);
  const caller = new RawCaller(world.proxyPort).send("GET / HTTP/1.1\r\nHost:").end();
  assert.equal(await caller.closed, "end");
  assert.equal(service.connections.length, 0);
});

test("one caller's leaving does not disturb another", async (t) => {
  const { world, service } = await rawWorld(t);
  const request = head("GET / HTTP/1.1", `Host: ${world.id}`);
  const leaving = new RawCaller(world.proxyPort).send(request);
  const itsConnection = await service.next();
  await itsConnection.takeHead();
  const staying = new RawCaller(world.proxyPort).send(request);
  const connection = await service.next();
  await connection.takeHead();
  leaving.reset();
  await itsConnection.closed;
  connection.send(OK);
  assert.equal((await takeAnswer(staying)).body, "ok");
});
