import assert from "node:assert/strict";
import test from "node:test";
import { ChannelPool } from "../../../src/server/channel_pool.ts";
import type { Channel } from "../../../src/tunnel/channel.ts";
import { MemoryLink, Recorder } from "../../world/memory_link.ts";
import type { Scope } from "../../world/world.ts";

function poolOf(scope: Scope, links: MemoryLink[] = [], limit?: number): ChannelPool {
  const pool = new ChannelPool();
  scope.after(() => pool.close());
  for (const { channel } of links) pool.put(channel, limit);
  return pool;
}

/** Lets milliseconds pass without giving anything else a turn. */
function pass(milliseconds: number): void {
  for (const until = performance.now() + milliseconds; performance.now() < until;);
}

test("channel pool: an empty one has nothing to give", (t) => {
  assert.equal(poolOf(t).take(), undefined);
});

test("channel pool: the channel that was used last is given first, each once", (t) => {
  const links = [new MemoryLink(), new MemoryLink(), new MemoryLink()];
  const [one, two, three] = links.map(({ channel }) => channel) as [Channel, Channel, Channel];
  const pool = poolOf(t, links);
  assert.equal(pool.take(), three);
  assert.equal(pool.take(), two);
  pool.put(three);
  assert.equal(pool.take(), three);
  assert.equal(pool.take(), one);
  assert.equal(pool.take(), undefined);
  for (const { sent } of links) assert.deepEqual(sent, []);
});

test("channel pool: a channel that is given out serves its next user", (t) => {
  const link = new MemoryLink();
  const channel = poolOf(t, [link]).take() as Channel;
  const user = new Recorder();
  channel.attach(user);
  link.receive("answer");
  assert.equal(user.received, "answer");
  assert.equal(channel.reusable, true);
});

test("channel pool: a channel that is not as good as new is finished instead of kept", (t) => {
  const ended = new MemoryLink();
  ended.receiveEof();
  const unread = new MemoryLink();
  unread.receive("x");
  const pool = poolOf(t, [ended, unread]);
  assert.equal(pool.take(), undefined);
  assert.deepEqual(ended.kinds, ["eof", "close"]);
  assert.deepEqual(unread.kinds, ["eof", "close"]);
});

test("channel pool: a channel whose service wants no second request is finished instead of kept", (t) => {
  for (const limit of [0, -1000]) {
    const link = new MemoryLink();
    assert.equal(poolOf(t, [link], limit).take(), undefined);
    assert.deepEqual(link.kinds, ["eof", "close"]);
  }
});

const goings: Record<string, (link: MemoryLink) => void> = {
  "speaks unasked": (link) => link.receive("HTTP/1.1 408 Request Timeout\r\n\r\n"),
  "ends its connection": (link) => link.receiveEof(),
  "closes its connection": (link) => link.receiveClose(),
  "loses its tunnel": (link) => link.channel.lost(),
};

for (const [name, go] of Object.entries(goings)) {
  test(`channel pool: a channel whose service ${name} is given to nobody`, (t) => {
    const [link, other] = [new MemoryLink(), new MemoryLink()];
    const pool = poolOf(t, [other, link]);
    go(link);
    assert.notEqual(link.channel.outgoing.state, "open");
    assert.equal(pool.take(), other.channel);
    assert.equal(pool.take(), undefined);
  });
}

test("channel pool: a channel that has been idle too long is closed and not given", (t) => {
  const [old, fresh] = [new MemoryLink(), new MemoryLink()];
  const pool = poolOf(t);
  pool.put(old.channel, 1);
  pass(2);
  assert.equal(pool.take(), undefined);
  assert.deepEqual(old.signs.at(-1), "close");
  pool.put(fresh.channel);
  assert.equal(pool.take(), fresh.channel);
});

test("channel pool: a channel that is too old does not hide one that is not", (t) => {
  const [kept, old] = [new MemoryLink(), new MemoryLink()];
  const pool = poolOf(t, [kept]);
  pool.put(old.channel, 1);
  pass(2);
  assert.equal(pool.take(), kept.channel);
});

test("channel pool: idle channels are finished in time without anyone asking", { timeout: 30_000 }, async (t) => {
  const [old, kept] = [new MemoryLink(), new MemoryLink()];
  const pool = poolOf(t);
  // The pool's own timer does not keep the process alive.
  const alive = setTimeout(() => {}, 30_000);
  t.after(() => clearTimeout(alive));
  const closed = new Promise<void>((resolve) => old.onSent = ({ kind }) => kind === "close" && resolve());
  pool.put(old.channel, 1);
  pool.put(kept.channel);
  await closed;
  assert.deepEqual(old.kinds, ["eof", "close"]);
  assert.deepEqual(kept.sent, []);
});

test("channel pool: no more than 256 channels are kept", (t) => {
  const links = Array.from({ length: 257 }, () => new MemoryLink());
  const pool = poolOf(t, links);
  assert.deepEqual(links.map(({ sent }) => sent.length > 0).indexOf(true), 256);
  let given = 0;
  while (pool.take() !== undefined) given++;
  assert.equal(given, 256);
});

test("channel pool: closing it finishes all that is idle, and nothing that was given out", (t) => {
  const [idle, busy] = [new MemoryLink(), new MemoryLink()];
  const pool = poolOf(t, [idle, busy]);
  assert.equal(pool.take(), busy.channel);
  pool.close();
  assert.deepEqual(idle.kinds, ["eof", "close"]);
  assert.deepEqual(busy.sent, []);
  assert.equal(pool.take(), undefined);
});
