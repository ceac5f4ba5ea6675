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
