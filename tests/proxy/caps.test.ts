import assert from "node:assert/strict";
import type { Socket } from "node:net";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { exchange, head, RawCaller, statusOf, takeAnswer } from "../world/raw_http.ts";
import { AnsweringService, RawService } from "../world/raw_service.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { makeWorld, TestServer } from "../world/world.ts";

const OK = head("HTTP/1.1 200 OK", "Content-Length: 2") + "ok";

const codeOf = (body: string): string => JSON.parse(body).code;

test("a body over maxBodySize is answered 413: at once where its length is told, and as soon as it is too long otherwise", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'maxBodySize = "1KiB"' });
  const told = new RawCaller(world.proxyPort).send(
    head("POST / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 1025"),
  );
  const refusal = await takeAnswer(told);
  assert.deepEqual([refusal.status, codeOf(refusal.body)], [413, "body-too-large"]);
  const chunked = new RawCaller(world.proxyPort);
  chunked.send(head("POST / HTTP/1.1", `Host: ${world.id}`, "Transfer-Encoding: chunked"));
  for (let i = 0; i < 9; i++) chunked.send(`80\r\n${"x".repeat(128)}\r\n`);
  assert.equal((await takeAnswer(chunked)).status, 413);
  const fits = new RawCaller(world.proxyPort);
  fits.send(head("POST / HTTP/1.1", `Host: ${world.id}`, "Content-Length: 1024") + "x".repeat(1024));
  // The first of them is that of the chunked request.
  const connections = [await service.next(), await service.next()];
  connections[1]?.send(OK);
  assert.equal((await takeAnswer(fits)).status, 200);
});

test("an answer that makes no progress for answerTimeout is broken off, one that does goes on", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'answerTimeout = "400ms"' });
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  const connection = await service.next();
  connection.send(head("HTTP/1.1 200 OK", "Content-Length: 100"));
  for (let i = 1; i <= 6; i++) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    connection.send("x");
    await caller.until((received) => received.endsWith("\r\n\r\n" + "x".repeat(i)));
  }
  assert.equal(await caller.closed, "ECONNRESET");
});

test("a request that takes longer than requestTimeout altogether is answered 504, whatever makes progress", async (t) => {
  const service = new RawService();
  const world = await makeWorld(t, service.accept, { server: 'requestTimeout = "400ms"' });
  const caller = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  await service.next();
  const answer = await takeAnswer(caller);
  assert.deepEqual([answer.status, codeOf(answer.body)], [504, "request-timeout"]);
});

test("a raw connection that is silent for connectionTimeout is broken off, one that is not goes on", async (t) => {
  const world = await makeWorld(t, (socket) => socket.pipe(socket), { server: 'connectionTimeout = "400ms"' });
  const caller = new RawCaller(world.rawPort);
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    caller.send("x");
    await caller.take(1);
  }
  assert.equal(await caller.closed, "ECONNRESET");
});

test("callers beyond maxCallers are answered 503, or reset on a reverse port, and let in again when others have left", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { server: "maxCallers = 2" });
  const request = head("GET / HTTP/1.1", `Host: ${world.id}`);
  const first = new RawCaller(world.proxyPort).send(request);
  await takeAnswer(first);
  const raw = new RawCaller(world.rawPort).send(request);
  await takeAnswer(raw);
  const refused = await takeAnswer(new RawCaller(world.proxyPort));
  assert.deepEqual([refused.status, codeOf(refused.body)], [503, "server-busy"]);
  assert.equal(await new RawCaller(world.rawPort).closed, "ECONNRESET");
  first.close();
  await eventually("there is room again", async () => {
    const answer = await exchange(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: close"));
    return statusOf(answer) === 200;
  });
});

test("more requests than maxChannels at the same time are answered 503, and those in progress go on", async (t) => {
  const service = new RawService();
  // The backchannel is one of them.
  const world = await makeWorld(t, service.accept, { ssh: "maxChannels = 3" });
  const request = head("GET / HTTP/1.1", `Host: ${world.id}`);
  const callers = [new RawCaller(world.proxyPort).send(request), new RawCaller(world.proxyPort).send(request)];
  const connections = [await service.next(), await service.next()];
  const refused = await takeAnswer(new RawCaller(world.proxyPort).send(request));
  assert.deepEqual([refused.status, codeOf(refused.body)], [503, "tunnel-busy"]);
  for (const connection of connections) connection.send(OK);
  for (const caller of callers) assert.equal((await takeAnswer(caller)).status, 200);
});

test("no more than maxPendingOpens requests wait for the client to reach its service", async (t) => {
  const world = await makeWorld(t, (socket) => socket.destroy(), { ssh: "maxPendingOpens = 1" });
  const peer = new SshPeer(t);
  await peer.login(world.server, world.id, [keyOf(world.client)]);
  const opens: (() => void)[] = [];
  peer.client.on("tcp connection", (_, accept) => opens.push(() => accept().end(OK)));
  await peer.forward("127.0.0.1", world.rawPort);
  const request = head("GET / HTTP/1.1", `Host: ${world.id}`);
  const first = new RawCaller(world.proxyPort).send(request);
  await eventually("the client is asked", () => opens.length === 1);
  assert.equal((await takeAnswer(new RawCaller(world.proxyPort).send(request))).status, 503);
  opens[0]?.();
  assert.equal((await takeAnswer(first)).status, 200);
});

test("connections of clients beyond maxTunnels are closed at once, and those that stand go on", async (t) => {
  const world = await makeWorld(t, new AnsweringService(OK).accept, { ssh: "maxTunnels = 1" });
  const another = new RawCaller(world.server.running.sshPort);
  assert.equal(await another.all(), "");
  await world.server.logged(({ code }) => code === "tunnels-full");
  const answer = await exchange(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: close"));
  assert.equal(statusOf(answer), 200);
});

test("a caller that reads nothing does not keep the other streams of its tunnel waiting", async (t) => {
  const large = Buffer.alloc(8 * 1024 ** 2, "x");
  const world = await makeWorld(t, (socket: Socket) => {
    socket.once("data", (bytes: Buffer) => {
      if (bytes.toString().startsWith("GET /large")) {
        socket.write(head("HTTP/1.1 200 OK", `Content-Length: ${large.length}`));
        socket.write(large);
      } else socket.end(OK);
    });
  });
  const slow = Array.from({ length: 8 }, () => {
    const caller = new RawCaller(world.proxyPort);
    caller.socket.pause();
    caller.send(head("GET /large HTTP/1.1", `Host: ${world.id}`));
    return caller;
  });
  await eventually("they are all in progress", () => world.service.sockets.size === slow.length);
  const request = head("GET /small HTTP/1.1", `Host: ${world.id}`, "Connection: close");
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const begun = performance.now();
    assert.equal(statusOf(await exchange(world.proxyPort, request)), 200);
    times.push(performance.now() - begun);
  }
  const longest = Math.max(...times);
  console.log(`beside 8 callers that read nothing a request takes at most ${longest.toFixed(1)} ms`);
  assert.ok(longest < 5000);
  for (const caller of slow) {
    caller.socket.resume();
    await caller.until((received) => received.length > large.length);
    caller.close();
  }
});

test("what is capped may be changed while the server runs", async (t) => {
  const server = await new TestServer(t, "maxHeld = 7").start();
  const read = structuredClone(server.config.server);
  read.maxHeld = 9;
  read.holdFor = 1234;
  const { restartNeeded } = server.running.control.reload(read);
  assert.deepEqual(restartNeeded, []);
  assert.deepEqual([server.config.server.maxHeld, server.config.server.holdFor], [9, 1234]);
});
