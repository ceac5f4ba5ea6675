import assert from "node:assert/strict";
import test from "node:test";
import { Pace, WindowSteps } from "../../../src/tunnel/pace.ts";
import { MemoryLink } from "../../world/memory_link.ts";

const WINDOW = 2 * 1024 * 1024;
const KIB = 1024;

/** A sender with as much to send as goes, a link of some speed, and a receiver: both halves of the rule, with a clock. */
class Transfer {
  now = 0;
  /** On the way, or at the receiver and not answered for. */
  outstanding = 0;
  most = 0;
  arrived = 0;
  #window = WINDOW;
  #onTheWay = 0;
  #used = 0;
  readonly #pace = new Pace(WINDOW, () => this.now);
  readonly #steps = new WindowSteps(WINDOW / 2, () => this.now);

  /** @param speed bytes a millisecond */
  pass(milliseconds: number, speed: number): this {
    for (let passed = 0; passed < milliseconds; passed++) {
      const room = this.#pace.room(this.#window);
      if (room > 0) {
        this.#window -= room;
        this.#onTheWay += room;
        this.#pace.sent(this.#window);
      }
      this.most = Math.max(this.most, this.#onTheWay);
      this.now++;
      const taken = Math.min(this.#onTheWay, speed);
      this.#onTheWay -= taken;
      this.#used += taken;
      this.arrived += taken;
      if (!this.#steps.isDue(this.#used)) continue;
      this.#window += this.#used;
      this.#used = 0;
    }
    return this;
  }
}

test("pace: on a slow link little more is on the way than it takes in a second", () => {
  const transfer = new Transfer().pass(60_000, 64);
  assert.ok(transfer.most <= 256 * KIB, `${transfer.most}`);
  assert.ok(transfer.arrived >= 0.99 * 60_000 * 64, "and the link is never idle");
});

test("pace: on a fast link the whole window is used within a moment", () => {
  const transfer = new Transfer().pass(1000, 300_000);
  assert.ok(transfer.arrived >= 0.5 * 1000 * Math.min(300_000, WINDOW / 2), `${transfer.arrived}`);
});

test("pace: whatever the speed does, the transfer goes on", () => {
  for (const speeds of [[100_000, 64, 100_000], [1, 300_000, 1, 64], [10_000, 7, 10_000, 7]]) {
    const transfer = new Transfer();
    for (const speed of speeds) {
      const before = transfer.arrived;
      transfer.pass(5000, speed);
      assert.ok(transfer.arrived - before >= 0.9 * Math.min(5000 * speed, 20 * WINDOW), `${speeds}: ${speed}`);
    }
  }
});

test("pace: a channel to a petit keeps the rest back until its peer opens the window, and loses nothing", () => {
  const link = new MemoryLink({ paced: true });
  const bytes = "0123456789".repeat(40_000);
  assert.equal(link.channel.write(Buffer.from(bytes)), false);
  assert.equal(link.data.length, 128 * KIB);
  for (let taken = 0; link.data.length < bytes.length; taken += 32 * KIB) {
    assert.ok(taken < bytes.length);
    link.receiveAdjust(32 * KIB);
  }
  assert.equal(link.data, bytes);
});

test("pace: a peer of another make is sent what its window takes, since it may open it only then", () => {
  const link = new MemoryLink();
  link.channel.write(Buffer.alloc(WINDOW + 1));
  assert.equal(link.data.length, WINDOW);
});

test("pace: a receiver opens the window after 32 KiB, and more rarely when that is soon", () => {
  const link = new MemoryLink({ paced: true });
  link.channel.resume();
  for (let i = 0; i < 64; i++) link.receive(Buffer.alloc(16 * KIB));
  const adjusts = link.sent.flatMap((sent) => sent.kind === "adjust" ? [sent.bytes / KIB] : []);
  assert.equal(adjusts[0], 32);
  assert.ok((adjusts.at(-1) as number) >= 256, `${adjusts}`);
});
