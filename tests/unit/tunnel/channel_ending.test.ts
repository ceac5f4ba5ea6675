import assert from "node:assert/strict";
import test from "node:test";
import { MemoryLink, Recorder } from "../../world/memory_link.ts";

/** A channel with a user that keeps what it is told. */
function open(peer: { window?: number } = {}): { link: MemoryLink; user: Recorder } {
  const link = new MemoryLink(peer);
  const user = new Recorder();
  link.channel.attach(user);
  return { link, user };
}

test("channel: its end is an EOF, and the other direction goes on", () => {
  const { link, user } = open();
  link.channel.end();
  assert.deepEqual(link.kinds, ["eof"]);
  assert.equal(link.channel.writable, false);
  link.receive("still here");
  assert.equal(user.received, "still here");
  assert.deepEqual(user.told, ["data"]);
});

test("channel: the EOF follows all bytes that wait for the window", () => {
  const { link } = open({ window: 2 });
  link.channel.write(Buffer.from("0123"));
  link.channel.end();
  assert.deepEqual(link.kinds, ["data"]);
  link.receiveAdjust(1);
  assert.deepEqual(link.kinds, ["data", "data"]);
  link.receiveAdjust(1);
  assert.equal(link.data, "0123");
  assert.deepEqual(link.kinds, ["data", "data", "data", "eof"]);
});

test("channel: what is written behind the end is dropped", () => {
  const { link } = open({ window: 2 });
  link.channel.write(Buffer.from("012"));
  link.channel.end();
  assert.equal(link.channel.write(Buffer.from("3")), true);
  link.receiveAdjust(10);
  assert.equal(link.channel.write(Buffer.from("4")), true);
  assert.equal(link.data, "012");
});

test("channel: however often it is ended there is one EOF", () => {
  const { link } = open();
  link.channel.end();
  link.channel.end();
  assert.deepEqual(link.signs, ["eof"]);
});

test("channel: finishing sends EOF and then CLOSE", () => {
  const { link } = open();
  link.channel.finish();
  assert.deepEqual(link.kinds, ["eof", "close"]);
});

test("channel: finishing waits for the bytes that wait for the window", () => {
  const { link } = open({ window: 2 });
  link.channel.write(Buffer.from("0123"));
  link.channel.finish();
  assert.deepEqual(link.kinds, ["data"]);
  link.receiveAdjust(10);
  assert.equal(link.data, "0123");
  assert.deepEqual(link.signs, ["eof", "close"]);
});

test("channel: finishing a channel that has ended only closes it", () => {
  const { link } = open();
  link.channel.end();
  link.channel.finish();
  assert.deepEqual(link.kinds, ["eof", "close"]);
});

test("channel: finishing a channel whose end waits for the window closes it behind that", () => {
  const { link } = open({ window: 1 });
  link.channel.write(Buffer.from("01"));
  link.channel.end();
  link.channel.finish();
  assert.deepEqual(link.signs, []);
  link.receiveAdjust(1);
  assert.deepEqual(link.signs, ["eof", "close"]);
});

test("channel: closing sends CLOSE alone, and once", () => {
  const { link } = open();
  link.channel.close();
  link.channel.close();
  link.channel.end();
  link.channel.finish();
  assert.deepEqual(link.kinds, ["close"]);
});

test("channel: the peer's close is answered with CLOSE, and nothing follows", () => {
  const { link, user } = open();
  link.receiveClose();
  assert.deepEqual(link.kinds, ["close"]);
  assert.deepEqual(user.told, ["close aborted"]);
  link.channel.finish();
  link.channel.close();
  assert.equal(link.channel.write(Buffer.from("late")), true);
  assert.deepEqual(link.kinds, ["close"]);
});

test("channel: the peer's answer to a close gets no second one", () => {
  const { link } = open();
  link.channel.close();
  link.receiveClose();
  assert.deepEqual(link.kinds, ["close"]);
});

test("channel: its user is told of the end and then of the close, each once", () => {
  const { link, user } = open();
  link.receive("x");
  link.receiveEof();
  assert.deepEqual(user.told, ["data", "end"]);
  link.receiveClose();
  link.channel.emit("close");
  link.channel.lost();
  assert.deepEqual(user.told, ["data", "end", "close"]);
});

test("channel: one that closes without an end was aborted", () => {
  const { link, user } = open();
  link.receive("half of it");
  link.receiveClose();
  assert.deepEqual(user.told, ["data", "close aborted"]);
});

test("channel: one that closes behind its end was not aborted, even when the connection is lost", () => {
  const { link, user } = open();
  link.receiveEof();
  link.channel.lost();
  assert.deepEqual(user.told, ["end", "close"]);
});

test("channel: one whose connection is lost was aborted, and sends nothing more", () => {
  const { link, user } = open({ window: 1 });
  link.channel.write(Buffer.from("012"));
  link.channel.lost();
  assert.deepEqual(user.told, ["close aborted"]);
  link.receiveAdjust(10);
  link.channel.write(Buffer.from("3"));
  link.channel.finish();
  assert.deepEqual(link.kinds, ["data"]);
  assert.equal(link.data, "0");
});

test("channel: a reader that pauses gets its bytes before it is told of end and close", () => {
  const { link, user } = open();
  link.channel.pause();
  link.receive("late");
  link.receiveEof();
  link.receiveClose();
  assert.deepEqual(user.told, []);
  link.channel.resume();
  assert.deepEqual(user.told, ["data", "end", "close"]);
  assert.equal(user.received, "late");
});

test("channel: a user that comes when all is over is told all of it", () => {
  const link = new MemoryLink();
  link.receive("early");
  link.receiveEof();
  link.receiveClose();
  const user = new Recorder();
  link.channel.attach(user);
  assert.equal(user.received, "early");
  assert.deepEqual(user.told, ["data", "end", "close"]);
});

test("channel: a user that has gone is told nothing", () => {
  const { link, user } = open();
  link.channel.detach();
  link.receive("x");
  link.receiveEof();
  link.receiveClose();
  assert.deepEqual(user.told, []);
});

test("channel: it serves another request only while nothing has ended and nothing is under way", () => {
  const fresh = () => open({ window: 2 }).link;
  assert.equal(fresh().channel.reusable, true);
  const changes: Record<string, (link: MemoryLink) => void> = {
    "its own end": (link) => link.channel.end(),
    "its own close": (link) => link.channel.close(),
    "the peer's end": (link) => link.receiveEof(),
    "the peer's close": (link) => link.receiveClose(),
    "bytes that wait for the window": (link) => link.channel.write(Buffer.from("012")),
    "bytes that wait for the reader": (link) => (link.channel.pause(), link.receive("x")),
    "the loss of its connection": (link) => link.channel.lost(),
  };
  for (const [name, change] of Object.entries(changes)) {
    const link = fresh();
    change(link);
    assert.equal(link.channel.reusable, false, name);
  }
});

test("channel: an end and a close that come before anybody uses it are told to its first user", () => {
  const link = new MemoryLink();
  link.receive("all there is");
  link.receiveEof();
  link.receiveClose();
  const user = new Recorder();
  link.channel.attach(user);
  assert.deepEqual(user.told, ["data", "end", "close"]);
});
