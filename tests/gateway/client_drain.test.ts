import assert from "node:assert/strict";
import { connect } from "node:net";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { makeWorld } from "../world/world.ts";

const PATIENT = { client: 'drainFor = "60s"' };

test("a client that stops lets open connections end, and takes no new ones", async (t) => {
  const { client, server, rawPort, id } = await makeWorld(t, (socket) => socket.pipe(socket), PATIENT);
  const caller = new RawPeer(connect({ port: rawPort, host: "127.0.0.1", allowHalfOpen: true }));
  assert.equal(await caller.send("before").take(6), "before");
  const stopped = client.stop();
  await server.logged(({ msg }) => msg.includes("takes no more callers"));
  const refused = await new Promise((resolve) =>
    connect(rawPort, "127.0.0.1").on("error", (error: NodeJS.ErrnoException) => resolve(error.code))
  );
  assert.equal(refused, "ECONNREFUSED");
  assert.equal(client.running.control.status().status, "stopping");
  assert.equal(await caller.send("after").take(5), "after");
  caller.end();
  assert.equal(await caller.all(), "");
  await stopped;
  const line = await server.logged(({ msg }) => msg.includes("disconnected"));
  assert.deepEqual(line["ids"], [id]);
});

test("all that the service said reaches the caller, though the client stops and the service has gone", async (t) => {
  const size = 6 * 1024 * 1024;
  const { client, rawPort } = await makeWorld(t, (socket) => socket.end(Buffer.alloc(size, "x")), PATIENT);
  const caller = connect({ port: rawPort, host: "127.0.0.1" });
  let received = 0;
  const ended = new Promise<void>((resolve) => caller.on("close", () => resolve()));
  await new Promise<void>((resolve) =>
    caller.once("data", (bytes: Buffer) => {
      received += bytes.length;
      caller.pause();
      resolve();
    })
  );
  const stopped = client.stop();
  caller.on("data", (bytes: Buffer) => received += bytes.length);
  caller.resume();
  await ended;
  assert.equal(received, size);
  await stopped;
});

test("a client with nothing but idle connections of the proxy stops at once", async (t) => {
  const { client, proxyPort, id } = await makeWorld(t, (socket) => {
    socket.on("data", () => socket.write(head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok"));
  }, PATIENT);
  const caller = new RawCaller(proxyPort);
  caller.send(head("GET / HTTP/1.1", `Host: ${id}.example.com`));
  assert.equal((await takeAnswer(caller)).body, "ok");
  const begun = performance.now();
  await client.stop();
  assert.ok(performance.now() - begun < 30_000, "it did not wait for drainFor");
  caller.close();
});

test("what has not ended within drainFor is cut off", async (t) => {
  const { client, rawPort } = await makeWorld(t, () => {}, { client: 'drainFor = "50ms"' });
  const answer = exchange(rawPort, "a question");
  await eventually("the caller is connected", () => client.running.control.status().tunnel?.channels === 1);
  await client.stop();
  assert.equal(await answer, "");
  assert.ok(client.log.some(({ msg }) => msg === "Connections that were not over within drainFor are ended: 1"));
});

test("a client without a tunnel stops at once", async (t) => {
  const { client, server } = await makeWorld(t, () => {}, PATIENT);
  await server.stop();
  await client.logged(({ code }) => code === "server-refused");
  const { status, waiting } = client.running.control.status();
  assert.deepEqual([status, waiting?.code], ["listening", "server-refused"]);
  assert.ok(Date.parse(waiting?.nextAttempt ?? "") > 0);
  await client.stop();
});
