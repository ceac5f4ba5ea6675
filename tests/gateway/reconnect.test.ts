import assert from "node:assert/strict";
import test from "node:test";
import { exchange, statusOf } from "../world/raw_http.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { makeWorld } from "../world/world.ts";

const answerOk = (socket: import("node:net").Socket) => {
  socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
};

test("a client finds a server that was stopped and started again, with the same id and port", async (t) => {
  const world = await makeWorld(t, answerOk, { client: 'reconnectDelayMax = "50ms"' });
  const connected = () => world.client.log.filter(({ msg }) => msg.startsWith("Connected")).length;
  await world.server.stop();
  await world.client.logged(({ code }) => code === "server-refused");
  await world.server.start();
  await world.server.logged(({ msg }) => msg === `${world.id} is connected` && connected() >= 1);
  await world.client.logged(({ msg }) => msg.startsWith("Connected") && connected() === 2);
  const request = `GET / HTTP/1.1\r\nHost: ${world.id}\r\nConnection: close\r\n\r\n`;
  assert.equal(statusOf(await exchange(world.proxyPort, request)), 200);
  assert.ok((await exchange(world.rawPort, "GET / HTTP/1.1\r\n\r\n")).endsWith("ok"));
});

test("a client that comes back with its key takes its port over while the old tunnel still stands", async (t) => {
  const world = await makeWorld(t, answerOk, { client: 'reconnectDelayMax = "60s"' });
  const newer = new SshPeer(t);
  await newer.login(world.server, world.id, [keyOf(world.client)]);
  assert.equal(await newer.forward("127.0.0.1", world.rawPort), world.rawPort);
  await world.client.logged(({ msg }) => msg.includes("ended"));
  assert.ok(world.server.log.some(({ msg }) => msg.includes("took over")));
  newer.client.on("tcp connection", (_, accept) => accept().end("from the newer tunnel"));
  assert.equal(await exchange(world.rawPort, ""), "from the newer tunnel");
  const line = await world.client.logged(({ code }) => code === "taken-over");
  assert.match(line.msg, /another client with the same key is connected; trying again in [3-6]\d\.\d s/i);
  assert.equal(world.client.running.control.status().waiting?.code, "taken-over");
});

test("when the tunnel ends, the reverse port closes and the proxy says so", async (t) => {
  const world = await makeWorld(t, answerOk);
  await world.client.stop();
  await world.server.logged(({ msg }) => msg.includes("disconnected"));
  const answer = await exchange(world.proxyPort, `GET / HTTP/1.1\r\nHost: ${world.id}\r\nConnection: close\r\n\r\n`);
  assert.equal(statusOf(answer), 503);
  assert.match(answer, /Retry-After: \d+\r\n/);
  const { connect } = await import("node:net");
  const refused = await new Promise((resolve) => connect(world.rawPort, "127.0.0.1").on("error", resolve));
  assert.equal((refused as { code?: string }).code, "ECONNREFUSED");
});
