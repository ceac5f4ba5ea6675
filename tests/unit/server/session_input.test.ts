import assert from "node:assert/strict";
import test from "node:test";
import { SessionInput } from "../../../src/server/ssh_commands/session_input.ts";

test("session input: all of it, however it came, up to the limit", async () => {
  const input = new SessionInput(600);
  const text = "0123456789".repeat(60);
  const packet = Buffer.alloc(1);
  for (const character of text) {
    packet.write(character);
    input.take(packet);
  }
  input.end();
  assert.equal((await input.all())?.toString(), text);
});

test("session input: of more than the limit nothing is kept, and nothing is waited for", async () => {
  const input = new SessionInput(4);
  const all = input.all();
  input.take(Buffer.from("12345"));
  assert.equal(await all, undefined);
});

test("session input: what comes byte by byte takes no more memory than its bytes", () => {
  const byte = Buffer.from("x");
  const before = process.memoryUsage.rss();
  const inputs = Array.from({ length: 40 }, () => new SessionInput(64 * 1024));
  for (const input of inputs) for (let at = 0; at < 64 * 1024; at++) input.take(byte);
  const mebibytes = (process.memoryUsage.rss() - before) / 1024 / 1024;
  assert.ok(mebibytes < 100, `${mebibytes} MiB for ${inputs.length} inputs of 64 KiB`);
});
