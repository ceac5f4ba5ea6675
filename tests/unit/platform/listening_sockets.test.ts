import assert from "node:assert/strict";
import { createServer } from "node:net";
import process from "node:process";
import test from "node:test";
import {
  type ListeningSocket,
  listeningSockets,
  parseRow,
  stillListening,
} from "../../../src/platform/listening_sockets.ts";
import { ownersOf } from "../../../src/platform/socket_owner.ts";

const row = (local: string, state = "0A") =>
  `   4: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 98765 1 0000000000000000 100 0 0 10 0`;

test("rows of /proc/net/tcp are read, and what is none is passed over", () => {
  assert.deepEqual(parseRow(row("0100007F:2B49")), {
    state: "0A",
    remoteHost: "127.0.0.1",
    remotePort: 0,
    socket: { host: "127.0.0.1", port: 11081, uid: 1000, inode: 98765 },
  });
  assert.equal(parseRow(row("00000000:0016"))?.socket.host, "127.0.0.1");
  assert.equal(parseRow(row("0500A8C0:0016"))?.socket.host, "192.168.0.5");
  assert.equal(parseRow(row(`${"0".repeat(32)}:0016`))?.socket.host, "::1");
  assert.equal(parseRow(row("00000000000000000000000001000000:0016"))?.socket.host, "::1");
  assert.equal(parseRow(row("0000000000000000FFFF00000100007F:0016"))?.socket.host, "127.0.0.1");
  assert.equal(parseRow(row("B80D0120000000000000000001000000:0016"))?.socket.host, "2001:db8:0:0:0:0:0:1");
  for (const none of ["", "  sl  local_address rem_address   st", "x y z", "1: 2 3 4"]) {
    assert.equal(parseRow(none), undefined);
  }
});

test("a socket that listens is found with its owner, and is not found any more when it does not", {
  skip: process.platform !== "linux" ? "needs /proc/net/tcp" : false,
}, async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const found = listeningSockets().find((socket) => socket.port === port);
  assert.equal(found?.host, "127.0.0.1");
  assert.equal(found?.uid, process.getuid?.());
  assert.ok(ownersOf(found?.inode as number).some(({ pid }) => pid === process.pid));
  await new Promise((resolve) => server.close(resolve));
  assert.ok(!listeningSockets().some(({ inode }) => inode === found?.inode));
});

test("of several sockets, those are told that listen still", {
  skip: process.platform !== "linux" ? "needs /proc/net/tcp" : false,
}, async () => {
  const servers = [createServer(), createServer(), createServer()];
  const sockets: ListeningSocket[] = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    sockets.push(listeningSockets().find((socket) => socket.port === port) as ListeningSocket);
  }
  const inodes = sockets.map(({ inode }) => inode);
  assert.deepEqual(stillListening(sockets), new Set(inodes));
  // Whatever its address is told as.
  const [one] = sockets as [ListeningSocket];
  assert.deepEqual(stillListening([{ ...one, host: "::1" }]), new Set([one.inode]));
  await new Promise((resolve) => servers[1]?.close(resolve));
  assert.deepEqual(stillListening(sockets), new Set([inodes[0], inodes[2]]));
  for (const server of [servers[0], servers[2]]) await new Promise((resolve) => server?.close(resolve));
  assert.deepEqual(stillListening(sockets), new Set());
});
