import assert from "node:assert/strict";
import test from "node:test";
import { MemoryLink, Recorder } from "../../world/memory_link.ts";

/** Numbers from 0 to 1 in an order that is the same each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

test("channel: bytes go out at once, and more may follow", () => {
  const link = new MemoryLink();
  assert.equal(link.channel.write(Buffer.from("one")), true);
  assert.equal(link.channel.write(Buffer.from("two")), true);
  assert.deepEqual(link.sent, [{ kind: "data", text: "one" }, { kind: "data", text: "two" }]);
  assert.equal(link.channel.outgoing.window, 2 * 1024 * 1024 - 6);
});

test("channel: no packet is larger than the peer takes", () => {
  const link = new MemoryLink({ packetSize: 4 });
  link.channel.write(Buffer.from("0123456789"));
  assert.deepEqual(link.sent.map((sent) => sent.kind === "data" && sent.text), ["0123", "4567", "89"]);
});

test("channel: no packet is larger than 32 KiB, even where the peer takes more", () => {
  const link = new MemoryLink({ packetSize: 1024 * 1024 });
  link.channel.write(Buffer.alloc(100_000));
  const sizes = link.sent.map((sent) => sent.kind === "data" ? sent.text.length : 0);
  assert.equal(sizes.reduce((sum, size) => sum + size, 0), 100_000);
  assert.ok(Math.max(...sizes) <= 32 * 1024);
});

test("channel: nothing is sent beyond the peer's window, and the rest goes when the window opens", () => {
  const link = new MemoryLink({ window: 4 });
  assert.equal(link.channel.write(Buffer.from("0123456")), false);
  assert.equal(link.data, "0123");
  assert.equal(link.channel.write(Buffer.from("789")), false);
  assert.equal(link.data, "0123");
  link.receiveAdjust(4);
  assert.equal(link.data, "01234567");
  link.receiveAdjust(100);
  assert.equal(link.data, "0123456789");
});

test("channel: a window that fits to the byte needs no waiting", () => {
  const link = new MemoryLink({ window: 4 });
  assert.equal(link.channel.write(Buffer.from("0123")), true);
  assert.equal(link.channel.write(Buffer.from("4")), false);
  assert.equal(link.data, "0123");
});

for (const seed of [1, 2, 3, 4, 5]) {
  test(`channel: whatever is written and granted, the window holds and no byte is lost (order ${seed})`, () => {
    const next = numbers(seed);
    const link = new MemoryLink({ window: 100, packetSize: 37 });
    let granted = 100;
    let written = "";
    let sent = 0;
    link.onSent = (message) => {
      if (message.kind !== "data") return;
      assert.ok(message.text.length > 0 && message.text.length <= 37);
      sent += message.text.length;
      assert.ok(sent <= granted, `${sent} sent, ${granted} granted`);
    };
    for (let step = 0; step < 500; step++) {
      if (next() < 0.5) {
        const text = String.fromCharCode(33 + Math.floor(next() * 90)).repeat(1 + Math.floor(next() * 120));
        written += text;
        link.channel.write(Buffer.from(text));
      } else {
        const more = Math.floor(next() * 80);
        granted += more;
        link.receiveAdjust(more);
      }
      assert.equal(sent, Math.min(granted, written.length), "all that is allowed has been sent");
    }
    granted += written.length;
    link.receiveAdjust(written.length);
    assert.equal(link.data, written);
  });
}

test("channel: a writer that was told to wait is told once when its bytes have gone", () => {
  const link = new MemoryLink({ window: 4 });
  const user = new Recorder();
  link.channel.attach(user);
  assert.equal(link.channel.write(Buffer.from("0123456789")), false);
  link.receiveAdjust(3);
  assert.deepEqual(user.told, [], "bytes are still waiting");
  link.receiveAdjust(3);
  assert.deepEqual(user.told, ["drain"]);
  link.receiveAdjust(100);
  assert.deepEqual(user.told, ["drain"]);
});

test("channel: a writer that was not told to wait is not told to go on", () => {
  const link = new MemoryLink({ window: 4 });
  const user = new Recorder();
  link.channel.attach(user);
  link.channel.write(Buffer.from("01"));
  link.receiveAdjust(4);
  link.drain();
  assert.deepEqual(user.told, []);
});

test("channel: while the link is congested bytes go, but the writer is told to wait for it", () => {
  const link = new MemoryLink();
  const user = new Recorder();
  link.channel.attach(user);
  link.congested = true;
  assert.equal(link.channel.write(Buffer.from("one")), false);
  assert.equal(link.channel.write(Buffer.from("two")), false);
  assert.equal(link.data, "onetwo");
  assert.deepEqual(user.told, []);
  link.drain();
  assert.deepEqual(user.told, ["drain"]);
  assert.equal(link.channel.write(Buffer.from("three")), true);
});

test("channel: a writer waits for the window and for the link, whichever comes last", () => {
  const link = new MemoryLink({ window: 2 });
  const user = new Recorder();
  link.channel.attach(user);
  link.congested = true;
  assert.equal(link.channel.write(Buffer.from("0123")), false);
  link.receiveAdjust(10);
  assert.equal(link.data, "0123");
  assert.deepEqual(user.told, [], "the link is still congested");
  link.drain();
  assert.deepEqual(user.told, ["drain"]);
});

test("channel: a link that drains does not wake a writer whose bytes wait for the window", () => {
  const link = new MemoryLink({ window: 2 });
  const user = new Recorder();
  link.channel.attach(user);
  link.congested = true;
  link.channel.write(Buffer.from("01"));
  assert.equal(link.channel.write(Buffer.from("23")), false);
  link.drain();
  assert.deepEqual(user.told, []);
  link.receiveAdjust(10);
  assert.deepEqual(user.told, ["drain"]);
});

test("channel: an empty chunk is not sent", () => {
  const link = new MemoryLink();
  assert.equal(link.channel.write(Buffer.alloc(0)), true);
  assert.deepEqual(link.sent, []);
});

test("channel: bytes for a channel that is closed are dropped, and their writer never waits", () => {
  const link = new MemoryLink({ window: 2 });
  link.channel.close();
  link.congested = true;
  assert.equal(link.channel.write(Buffer.from("0123")), true);
  link.receiveAdjust(10);
  assert.equal(link.data, "");
  assert.equal(link.channel.writable, false);
});

test("channel: bytes that wait when the channel closes are dropped", () => {
  const link = new MemoryLink({ window: 2 });
  link.channel.write(Buffer.from("0123"));
  link.channel.close();
  link.receiveAdjust(10);
  assert.equal(link.data, "01");
});

test("channel: bytes are counted when they are sent and when they come", () => {
  const link = new MemoryLink({ window: 2 });
  link.channel.attach(new Recorder());
  link.channel.write(Buffer.from("012"));
  assert.equal(link.channel.bytesOut, 2);
  link.receiveAdjust(10);
  assert.equal(link.channel.bytesOut, 3);
  link.receive("12345");
  assert.equal(link.channel.bytesIn, 5);
});

test("channel: nothing is sent to a peer that takes packets of no size", () => {
  const link = new MemoryLink({ packetSize: 0 });
  assert.equal(link.channel.write(Buffer.from("never")), false);
  assert.deepEqual(link.sent, []);
});
