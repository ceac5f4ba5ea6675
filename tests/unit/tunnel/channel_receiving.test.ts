import assert from "node:assert/strict";
import test from "node:test";
import { type Channel, FULL_WINDOW } from "../../../src/tunnel/channel.ts";
import { MemoryLink, Recorder } from "../../world/memory_link.ts";

const HALF = FULL_WINDOW / 2;
const KIB = 1024;

function open(): { link: MemoryLink; channel: Channel; user: Recorder } {
  const link = new MemoryLink();
  const user = new Recorder();
  link.channel.attach(user);
  return { link, channel: link.channel, user };
}

test("channel: bytes reach its user as they come", () => {
  const { link, user } = open();
  link.receive("one");
  assert.equal(user.received, "one");
  link.receive("two");
  assert.equal(user.received, "onetwo");
});

test("channel: bytes that come before there is a user wait for it, in order", () => {
  const link = new MemoryLink();
  link.receive("one");
  link.receive("two");
  const user = new Recorder();
  link.channel.attach(user);
  link.receive("three");
  assert.equal(user.received, "onetwothree");
});

test("channel: bytes wait while their reader pauses, and come in order when it goes on", () => {
  const { link, channel, user } = open();
  channel.pause();
  link.receive("one");
  link.receive("two");
  assert.equal(user.received, "");
  channel.resume();
  link.receive("three");
  assert.equal(user.received, "onetwothree");
});

test("channel: a reader that pauses in the middle gets no more until it goes on", () => {
  const link = new MemoryLink();
  const user = new Recorder();
  link.receive("one");
  link.receive("two");
  link.channel.attach({
    onData(chunk) {
      user.onData(chunk);
      link.channel.pause();
    },
    onEnd: () => user.onEnd(),
    onDrain() {},
    onClose() {},
  });
  link.receiveEof();
  assert.equal(user.received, "one");
  link.channel.resume();
  assert.equal(user.received, "onetwo");
  assert.equal(user.told.includes("end"), true);
});

test("channel: its window opens again when half of it is used, by what was used", () => {
  const { link, channel } = open();
  link.receive(Buffer.alloc(HALF - 1));
  assert.deepEqual(link.sent, []);
  link.receive(Buffer.alloc(10));
  assert.deepEqual(link.sent, [{ kind: "adjust", bytes: HALF + 9 }]);
  assert.equal(channel.incoming.window, FULL_WINDOW);
});

test("channel: however much comes, the windows granted and used are the same", () => {
  const { link, channel, user } = open();
  let used = 0;
  for (let i = 0; i < 400; i++) {
    const size = ((i * 7919) % 32 + 1) * KIB;
    link.receive(Buffer.alloc(size));
    used += size;
  }
  const granted = link.sent.reduce((sum, sent) => sum + (sent.kind === "adjust" ? sent.bytes : 0), FULL_WINDOW);
  assert.equal(granted - used, channel.incoming.window);
  assert.ok(used > 3 * FULL_WINDOW);
  assert.equal(user.received.length, used);
});

test("channel: a reader that pauses does not let the peer send more than one window", () => {
  const { link, channel } = open();
  channel.pause();
  for (let left = FULL_WINDOW; left > 0; left -= 32 * KIB) link.receive(Buffer.alloc(32 * KIB));
  assert.deepEqual(link.sent, []);
  assert.deepEqual(link.violations, []);
  assert.equal(channel.incoming.window, 0);
});

test("channel: a reader that goes on opens the window again", () => {
  const { link, channel, user } = open();
  channel.pause();
  for (let left = FULL_WINDOW; left > 0; left -= 32 * KIB) link.receive(Buffer.alloc(32 * KIB));
  channel.resume();
  assert.equal(user.received.length, FULL_WINDOW);
  assert.deepEqual(link.sent, [{ kind: "adjust", bytes: FULL_WINDOW }]);
  assert.equal(channel.incoming.window, FULL_WINDOW);
});

test("channel: a peer that sends more than the window breaks the protocol, and its bytes go nowhere", () => {
  const { link, channel, user } = open();
  channel.pause();
  link.receive(Buffer.alloc(FULL_WINDOW));
  assert.deepEqual(link.violations, []);
  link.receive("x");
  assert.equal(link.violations.length, 1);
  assert.match(`${link.violations}`, /window/);
  channel.resume();
  assert.equal(user.received.length, FULL_WINDOW);
});

test("channel: no window is granted to a peer that has ended or closed", () => {
  for (const over of ["receiveEof", "receiveClose"] as const) {
    const { link, channel } = open();
    channel.pause();
    link.receive(Buffer.alloc(FULL_WINDOW));
    link[over]();
    channel.resume();
    assert.equal(link.kinds.includes("adjust"), false, over);
  }
});

test("channel: the next user gets what comes from then on", () => {
  const { link, channel, user } = open();
  link.receive("one");
  const next = new Recorder();
  channel.detach();
  channel.attach(next);
  link.receive("two");
  assert.equal(user.received, "one");
  assert.equal(next.received, "two");
});

test("channel: the SSH library is never asked to wait", () => {
  // Its own flow control would adjust the window a second time.
  const { link, channel } = open();
  channel.pause();
  assert.equal(channel.push(Buffer.from("x")), false);
  link.channel.resume();
  assert.equal(channel.push(Buffer.from("y")), false);
  assert.equal(channel.push(null), false);
});

test("channel: one that is broken off while bytes wait tells so at once, and its end behind them", () => {
  const { link, channel, user } = open();
  let cuts = 0;
  Object.assign(user, { onCut: () => cuts++ });
  channel.pause();
  link.receive("one");
  link.receiveClose();
  assert.deepEqual([cuts, user.told], [1, []]);
  channel.resume();
  assert.deepEqual([cuts, user.told], [1, ["data", "close aborted"]]);
});

test("channel: one that ends in order, or has nothing that waits, is not told of as broken off", () => {
  for (const end of [(link: MemoryLink) => link.receiveEof(), (link: MemoryLink) => link.channel.resume()]) {
    const { link, channel, user } = open();
    Object.assign(user, { onCut: () => assert.fail("broken off") });
    channel.pause();
    link.receive("one");
    end(link);
    link.receiveClose();
    channel.resume();
    assert.equal(user.received, "one");
  }
});
