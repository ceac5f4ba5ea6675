import assert from "node:assert/strict";
import test from "node:test";
import { Backchannel } from "../../../src/client/backchannel.ts";
import { encodeMessage } from "../../../src/tunnel/message_stream.ts";
import { MemoryLink } from "../../world/memory_link.ts";

function open(): { link: MemoryLink; backchannel: Backchannel } {
  const link = new MemoryLink();
  return { link, backchannel: new Backchannel(link.channel, false) };
}

test("backchannel: questions get their answers in order, however the bytes come", async () => {
  const { link, backchannel } = open();
  const ping = backchannel.ask({ type: "ping1" }, "didPing1");
  const second = backchannel.ask({ type: "ping1" }, "didRegister1");
  assert.equal(link.data, '{"type":"ping1"}\x03{"type":"ping1"}\x03');
  const registered = { type: "didRegister1", registeredId: "1001", registeredPort: 11081, endpoint: "http://x" };
  const bytes = Buffer.concat([encodeMessage({ type: "didPing1" }), encodeMessage(registered)]);
  for (const byte of bytes) link.receive(Buffer.from([byte]));
  assert.deepEqual(await ping, { type: "didPing1" });
  assert.deepEqual(await second, registered);
});

test("backchannel: a server that refuses says why", async () => {
  const { link, backchannel } = open();
  const asked = backchannel.ask({ type: "ping1" }, "didPing1");
  link.receive(encodeMessage({ type: "error", code: "join-code-used", error: "Used already" }));
  await assert.rejects(asked, { name: "PetitError", code: "join-code-used", message: "Used already" });
});

for (
  const answer of [
    { type: "shakehand1" },
    { type: "didPing2" },
    { type: "didRegister1", registeredId: "1001", registeredPort: 0, endpoint: "" },
    { type: "shakehand1", registrations: [], vitae: { environment: "", endpoint: "", version: "" } },
    [],
    null,
  ]
) {
  test(`backchannel: ${JSON.stringify(answer)} is no answer to a ping`, async () => {
    const { link, backchannel } = open();
    const asked = backchannel.ask({ type: "ping1" }, "didPing1");
    link.receive(`${JSON.stringify(answer)}\x03`);
    await assert.rejects(asked, { name: "PetitError", code: "message-invalid" });
  });
}

test("backchannel: what is no message ends it", async () => {
  const { link, backchannel } = open();
  const asked = backchannel.ask({ type: "ping1" }, "didPing1");
  link.receive("HTTP/1.1 400 Bad Request\x03");
  await assert.rejects(asked, { name: "PetitError", code: "message-invalid" });
  assert.deepEqual(link.signs, ["close"]);
});

for (const end of ["receiveEof", "receiveClose"] as const) {
  test(`backchannel: whoever waits for an answer is told when the server goes (${end})`, async () => {
    const { link, backchannel } = open();
    const asked = [1, 2].map(() => backchannel.ask({ type: "ping1" }, "didPing1"));
    link[end]();
    for (const question of asked) await assert.rejects(question, { name: "PetitError", code: "backchannel-lost" });
  });
}

test("backchannel: a question on one that is gone is not waited for", { timeout: 5000 }, async () => {
  const { link, backchannel } = open();
  link.receiveClose();
  await assert.rejects(backchannel.ask({ type: "ping1" }, "didPing1"), {
    name: "PetitError",
    code: "backchannel-lost",
  });
});

const REGISTERED = { type: "didRegister1", registeredId: "1001", registeredPort: 11081, endpoint: "http://x" };

test("backchannel: what a later server adds to an answer is not looked at", async () => {
  const { link, backchannel } = open();
  const asked = backchannel.ask({ type: "ping1" }, "didRegister1");
  link.receive(encodeMessage({ ...REGISTERED, handshakeVersion: 2, more: { deep: [1] } }));
  assert.deepEqual(await asked, { ...REGISTERED, handshakeVersion: 2 });
});

test("backchannel: what a later server says unasked is taken for no answer", async () => {
  const { link, backchannel } = open();
  const asked = backchannel.ask({ type: "ping1" }, "didPing1");
  link.receive(encodeMessage({ type: "weather1", unasked: true, sky: "blue" }));
  link.receive(encodeMessage({ type: "didPing1" }));
  assert.deepEqual(await asked, { type: "didPing1" });
});

test("backchannel: an answer of another version is not used, and the sentence says who has to upgrade", async () => {
  const { link, backchannel } = open();
  const asked = backchannel.ask({ type: "ping1" }, "didRegister1");
  link.receive(encodeMessage({ ...REGISTERED, handshakeVersion: 3, vitae: { version: "2.0.0" } }));
  await assert.rejects(asked, {
    code: "version-refused",
    message: /^The server \(petit 2\.0\.0\).*upgrade the client$/,
  });
});
