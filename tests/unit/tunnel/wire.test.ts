import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import test from "node:test";
import { eventually } from "../../world/eventually.ts";
import { Wire } from "../../../src/tunnel/wire.ts";
import { type Scope } from "../../world/world.ts";
import { socketPair } from "../../world/socket_pair.ts";

/** A wire on one end of a connection, the other end, and the sizes of the buffers that were given to the socket. */
async function wired(scope: Scope): Promise<{ wire: Wire; near: Socket; far: Socket; writes: number[] }> {
  const [near, far] = await socketPair(scope);
  const writes: number[] = [];
  const write = near.write;
  near.write = function (this: Socket, ...args: Parameters<Socket["write"]>) {
    writes.push(args[0].length);
    return write.apply(near, args);
  } as Socket["write"];
  const wire = new Wire(near);
  wire.on("error", () => {});
  return { wire, near, far, writes };
}

/** Everything up to the end of a connection. */
function readAll(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  socket.on("data", (piece: Buffer) => pieces.push(piece));
  return new Promise((resolve) => socket.once("end", () => resolve(Buffer.concat(pieces))));
}

test("wire: everything written in one turn leaves as one write", async (t) => {
  const { wire, far, writes } = await wired(t);
  const received = readAll(far);
  for (let i = 0; i < 100; i++) wire.write(Buffer.from(`piece ${i},`));
  assert.deepEqual(writes, [], "nothing leaves before the turn is over");
  await once(far, "data");
  assert.equal(writes.length, 1);
  wire.write(Buffer.from("next turn"));
  wire.end();
  const all = (await received).toString();
  assert.equal(all, `${Array.from({ length: 100 }, (_, i) => `piece ${i},`).join("")}next turn`);
  assert.equal(writes.length, 2);
});

test("wire: what is gathered does not grow without bound within a turn", async (t) => {
  const { wire, far, writes } = await wired(t);
  const received = readAll(far);
  const pieces = Array.from({ length: 64 }, () => randomBytes(32 * 1024));
  for (const piece of pieces) wire.write(piece);
  assert.ok(writes.length >= 4, "part of it has left already");
  assert.ok(Math.max(...writes) <= 512 * 1024);
  wire.end();
  const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  assert.equal(hash(await received), hash(Buffer.concat(pieces)), "in order and complete");
  assert.equal(wire.bytesOut, 64 * 32 * 1024);
});

test("wire: its end sends what was written in the same turn", async (t) => {
  const { wire, far } = await wired(t);
  const received = readAll(far);
  wire.write(Buffer.from("last "));
  wire.write(Buffer.from("words"));
  wire.end();
  assert.equal(wire.writable, false);
  assert.equal((await received).toString(), "last words");
});

test("wire: what is written behind its end is not sent", async (t) => {
  const { wire, far } = await wired(t);
  const received = readAll(far);
  wire.write(Buffer.from("in time"));
  wire.end();
  assert.equal(wire.write(Buffer.from("too late")), false);
  assert.equal((await received).toString(), "in time");
});

test("wire: it is congested while the peer does not read, and tells when that is over", async (t) => {
  const { wire, far } = await wired(t);
  far.pause();
  assert.equal(wire.congested, false);
  const piece = Buffer.alloc(64 * 1024, "x");
  let written = 0;
  // The system takes some megabytes before it takes no more.
  for (let i = 0; i < 2000 && !wire.congested; i++) {
    wire.write(piece);
    written += piece.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(wire.congested, true);
  assert.ok(wire.backlog > 0);
  let read = 0;
  far.on("data", (bytes: Buffer) => read += bytes.length);
  far.resume();
  await once(wire, "drain");
  assert.equal(wire.congested, false);
  wire.end();
  await once(far, "end");
  assert.equal(read, written);
});

test("wire: what the system has not taken yet is not overwritten by what is gathered after it", async (t) => {
  const { wire, far, writes } = await wired(t);
  const other = await wired(t);
  far.pause();
  const sent = createHash("sha256");
  let turns = 0;
  // Until the system takes no more, and on: these wait in the socket while other writes are gathered.
  for (let after = 0; after < 4; turns++) {
    if (wire.congested) after++;
    for (let i = 0; i < 3; i++) {
      const piece = randomBytes(32 * 1024);
      sent.update(piece);
      wire.write(piece);
      other.wire.write(Buffer.alloc(piece.length, "other"));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(writes.length, turns, "each turn was gathered");
  other.far.resume();
  const received = readAll(far);
  far.resume();
  await once(wire, "drain");
  wire.end();
  assert.equal(createHash("sha256").update(await received).digest("hex"), sent.digest("hex"));
});

test("wire: bytes from the peer come with the time of their coming", async (t) => {
  const { wire, far } = await wired(t);
  const before = wire.lastReceived;
  far.write("hello\n");
  const [bytes] = await once(wire, "data") as [Buffer];
  assert.equal(bytes.toString(), "hello\n");
  assert.equal(wire.bytesIn, 6);
  assert.ok(wire.lastReceived > before);
});

test("wire: the line by which a peer identifies itself comes whole, and what follows as it comes", async (t) => {
  const { wire, far } = await wired(t);
  const came: string[] = [];
  wire.on("data", (bytes: Buffer) => came.push(bytes.toString()));
  for (const [index, piece] of ["SSH-", "2.0-", "x\r", "\nab", "cd"].entries()) {
    const bytes = wire.bytesIn + piece.length;
    far.write(piece);
    await eventually(`piece ${index} has come`, () => wire.bytesIn === bytes);
  }
  assert.deepEqual(came, ["SSH-2.0-x\r\nab", "cd"]);
});

test("wire: what a peer says that never identifies itself is passed on at its end", async (t) => {
  const { wire, far } = await wired(t);
  const data = once(wire, "data");
  far.end("nonsense");
  assert.equal(String((await data)[0]), "nonsense");
});

test("wire: a peer that ends is told of, and gets an end in return", async (t) => {
  const { wire, far } = await wired(t);
  const received = readAll(far);
  wire.write(Buffer.from("bye"));
  await once(far, "data");
  far.end();
  await once(wire, "end");
  assert.equal(wire._readableState.ended, true);
  assert.equal((await received).toString(), "bye");
  assert.equal(wire.writable, false);
});

test("wire: one whose connection is gone takes nothing more and is told of once", async (t) => {
  const { wire, far } = await wired(t);
  let closes = 0;
  wire.on("close", () => closes++);
  wire.write(Buffer.from("x"));
  const closed = new Promise<void>((resolve) => wire.once("close", resolve));
  far.resetAndDestroy();
  await closed;
  assert.equal(wire.writable, false);
  assert.equal(wire.destroyed, true);
  assert.equal(wire.write(Buffer.from("y")), false);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(closes, 1);
});

test("wire: destroying it ends the connection at once", async (t) => {
  const { wire, far } = await wired(t);
  const received = readAll(far);
  wire.write(Buffer.from("dropped"));
  wire.destroy();
  assert.equal(wire.write(Buffer.from("x")), false);
  await once(wire, "close");
  assert.equal(wire.destroyed, true);
  assert.equal((await received).toString(), "");
});

test("wire: what the peer sends before anyone listens is kept for the one who does", async (t) => {
  const { wire, near, far } = await wired(t);
  far.write("SSH-2.0-early\r\n");
  // Whoever listens for something else first must not let the bytes through.
  wire.on("drain", () => {});
  await new Promise((resolve) => far.write("more", resolve));
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(near.destroyed, false);
  let received = "";
  await new Promise<void>((resolve) => {
    wire.on("data", (bytes: Buffer) => {
      received += bytes.toString();
      if (received.endsWith("more")) resolve();
    });
  });
  assert.equal(received, "SSH-2.0-early\r\nmore");
  assert.equal(wire.greeting.slice(0, 15), "SSH-2.0-early\r\n");
});
