import assert from "node:assert/strict";
import test from "node:test";
import { unlessIntercepted } from "../../../../src/client/legacy/intercept.ts";
import type { Channel } from "../../../../src/tunnel/channel.ts";
import type { IncomingOpen } from "../../../../src/tunnel/link.ts";
import { MemoryLink } from "../../../world/memory_link.ts";

/** A caller's connection; what was passed on of it, and whether it was answered. */
function caller() {
  const link = new MemoryLink();
  const forwarded = { accept: () => link.channel, refuse() {}, address: "x", port: 1 } as unknown as IncomingOpen;
  const passed: IncomingOpen[] = [];
  const state = { answered: 0 };
  unlessIntercepted(forwarded, (one) => void passed.push(one), () => state.answered++);
  return { link, passed, state };
}

/** What the next user of the channel is told. */
function readAll(channel: Channel): { text: string; ended: boolean } {
  const read = { text: "", ended: false };
  channel.attach({
    onData: (bytes) => read.text += bytes.toString(),
    onEnd: () => read.ended = true,
    onDrain() {},
    onClose() {},
  });
  return read;
}

test("intercept: the question of 0.6.x is answered, also byte by byte", () => {
  for (const pieces of [["GET /-g2c-intercept HTTP/1.1\r\n"], [..."GET /-g2c-intercept?a=b HTTP/1.1\r\n"]]) {
    const { link, passed, state } = caller();
    for (const piece of pieces) link.receive(Buffer.from(piece));
    assert.match(link.data, /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 17\r\n[^]*\r\n\r\n\{"success": true\}$/);
    assert.deepEqual(link.signs, ["eof"]);
    assert.equal(state.answered, 1);
    assert.equal(passed.length, 0);
    link.receiveEof();
    assert.deepEqual(link.signs, ["eof", "close"]);
  }
});

test("intercept: all else is passed on from its first byte, and with its end", () => {
  for (const text of ["GET / HTTP/1.1\r\n", "GET /-g2c-intercepted HTTP/1.1\r\n", "\x16\x03\x01", "GET /-g2c"]) {
    const { link, passed, state } = caller();
    for (const byte of Buffer.from(text)) link.receive(Buffer.from([byte]));
    link.receiveEof();
    const channel = passed[0]?.accept() as Channel;
    assert.deepEqual(readAll(channel), { text, ended: true });
    assert.equal(state.answered, 0);
    assert.equal(link.data, "");
  }
});

test("intercept: a caller that waits for the service to speak is passed on", async () => {
  const { link, passed } = caller();
  while (passed.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const read = readAll(passed[0]?.accept() as Channel);
  link.receive(Buffer.from("GET /-g2c-intercept HTTP/1.1\r\n"));
  assert.equal(read.text, "GET /-g2c-intercept HTTP/1.1\r\n");
});

test("intercept: what is refused after it was accepted is closed", () => {
  const { link, passed } = caller();
  link.receive(Buffer.from("x"));
  passed[0]?.refuse("no");
  assert.deepEqual(link.signs, ["close"]);
});
