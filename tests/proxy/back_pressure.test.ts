import assert from "node:assert/strict";
import type { Socket } from "node:net";
import test from "node:test";
import { BulkWriter, hashOf, pausedCaller, readHeadAndPause } from "../world/bulk.ts";
import { head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { makeWorld } from "../world/world.ts";

const MIB = 1024 * 1024;
const SIZE = 200 * MIB;
/**
 * Far below what is sent, and well above what three connections and one channel hold together: most of that, 12 to 20 MiB,
 * is in the operating system's socket buffers, whose sizes differ from machine to machine.
 */
const BOUND = 48 * MIB;

/** Hands out the first connection whose request has been read up to its body. */
function bulkService(): { accept: (socket: Socket) => void; connection: Promise<Socket> } {
  let found!: (socket: Socket) => void;
  const connection = new Promise<Socket>((resolve) => found = resolve);
  return { accept: (socket) => void readHeadAndPause(socket).then(() => found(socket)), connection };
}

test("a caller that does not read stops the service, and gets every byte once it reads", async (t) => {
  const { accept, connection } = bulkService();
  const world = await makeWorld(t, accept);
  const caller = pausedCaller(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`));
  t.after(() => caller.destroy());
  const service = await connection;
  service.write(head("HTTP/1.1 200 OK", `Content-Length: ${SIZE}`));
  const writer = new BulkWriter(service, SIZE);
  await writer.stalled();
  assert.ok(writer.written < BOUND, `${writer.written} bytes were taken from the service`);
  await readHeadAndPause(caller);
  assert.equal(await hashOf(caller, SIZE), await writer.done);
});

test("a service that does not read stops the caller, and gets every byte once it reads", async (t) => {
  const { accept, connection } = bulkService();
  const world = await makeWorld(t, accept);
  const caller = pausedCaller(world.proxyPort, head("PUT / HTTP/1.1", `Host: ${world.id}`, `Content-Length: ${SIZE}`));
  t.after(() => caller.destroy());
  const service = await connection;
  const writer = new BulkWriter(caller, SIZE);
  await writer.stalled();
  assert.ok(writer.written < BOUND, `${writer.written} bytes were taken from the caller`);
  assert.equal(await hashOf(service, SIZE), await writer.done);
});

test("a caller that does not read a chunked answer stops the service", async (t) => {
  const { accept, connection } = bulkService();
  const world = await makeWorld(t, accept);
  const caller = pausedCaller(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`));
  t.after(() => caller.destroy());
  const service = await connection;
  service.write(`${head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")}${SIZE.toString(16)}\r\n`);
  const writer = new BulkWriter(service, SIZE);
  await writer.stalled();
  assert.ok(writer.written < BOUND, `${writer.written} bytes were taken from the service`);
});

test("a peer that does not read stops an upgraded connection in both directions", async (t) => {
  const { accept, connection } = bulkService();
  const world = await makeWorld(t, accept);
  const caller = pausedCaller(
    world.proxyPort,
    head("GET / HTTP/1.1", `Host: ${world.id}`, "Connection: Upgrade", "Upgrade: raw"),
  );
  t.after(() => caller.destroy());
  const service = await connection;
  service.write(head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: raw"));
  await readHeadAndPause(caller);
  const size = 64 * MIB;
  const up = new BulkWriter(caller, size);
  const down = new BulkWriter(service, size);
  await Promise.all([up.stalled(), down.stalled()]);
  assert.ok(up.written < BOUND, `${up.written} bytes were taken from the caller`);
  assert.ok(down.written < BOUND, `${down.written} bytes were taken from the service`);
  const [atService, atCaller] = await Promise.all([hashOf(service, size), hashOf(caller, size)]);
  assert.equal(atService, await up.done);
  assert.equal(atCaller, await down.done);
});

test("a caller that does not read does not hold up another caller of the same service", async (t) => {
  const slow = bulkService();
  const quick = new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0"));
  let connections = 0;
  const world = await makeWorld(t, (socket) => connections++ === 0 ? slow.accept(socket) : quick.accept(socket));
  const caller = pausedCaller(world.proxyPort, head("GET / HTTP/1.1", `Host: ${world.id}`));
  t.after(() => caller.destroy());
  const service = await slow.connection;
  service.write(head("HTTP/1.1 200 OK", `Content-Length: ${SIZE}`));
  await new BulkWriter(service, SIZE).stalled();
  const other = new RawCaller(world.proxyPort).send(head("GET / HTTP/1.1", `Host: ${world.id}`));
  assert.equal((await takeAnswer(other)).status, 200);
});
