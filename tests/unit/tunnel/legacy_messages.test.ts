import assert from "node:assert/strict";
import test from "node:test";
import {
  legacyClientMessage,
  legacyServerMessage,
  UNTOLD_CLIENT,
  UNTOLD_SERVER,
} from "../../../src/tunnel/legacy_messages.ts";

test("0.6 messages: a client's ids are a list of texts, however it writes them", () => {
  for (
    const [said, understood] of [["1001", ["1001"]], [1001, ["1001"]], [["1001", 1002], ["1001", "1002"]]] as const
  ) {
    const message = legacyClientMessage.parse({ type: "handshake1", handshakeVersion: 1, registeredId: said });
    assert.deepEqual(message, { type: "handshake1", registeredId: understood });
  }
  for (const registeredId of [[], null, {}, ["x".repeat(65)], Array(1001).fill("1")]) {
    assert.equal(legacyClientMessage.safeParse({ type: "handshake1", registeredId }).success, false);
  }
});

test("0.6 messages: what a client wishes is no reason to refuse it", () => {
  const preferredOf = (preferred: unknown) =>
    (legacyClientMessage.parse({ type: "register1", publicKey: "k", preferred }) as { preferred: unknown }).preferred;
  assert.deepEqual(preferredOf({ id: 1001, port: 11081 }), { id: "1001", port: 11081 });
  assert.deepEqual(preferredOf({ id: "1001", port: "x" }), { id: "1001", port: 0 });
  for (const none of [undefined, null, {}, { port: 11081 }, "1001"]) assert.equal(preferredOf(none), null);
});

test("0.6 messages: whoever tells nothing of itself has a brand and a version all the same", () => {
  const client = (vitae: unknown) =>
    (legacyClientMessage.parse({ type: "handshake3", vitae }) as { vitae: object }).vitae;
  assert.deepEqual(UNTOLD_CLIENT, { brand: "ce", version: "0.6" });
  for (const vitae of [undefined, null, "x"]) assert.deepEqual(client(vitae), UNTOLD_CLIENT);
  for (const vitae of [{}, { brand: 1 }, { hostname: null }]) {
    assert.deepEqual(JSON.parse(JSON.stringify(client(vitae))), UNTOLD_CLIENT);
  }
  assert.deepEqual(client({ brand: "b", version: "0.6.34" }), { brand: "b", version: "0.6.34" });
  assert.deepEqual(client({ brand: "b".repeat(300), version: "1" }), { brand: "b".repeat(256), version: "1" });
  const server = (vitae: unknown) =>
    (legacyServerMessage.parse({ type: "shakehand2", bindPort: 1, vitae }) as { vitae: unknown }).vitae;
  for (const vitae of [undefined, null, "x"]) assert.deepEqual(server(vitae), UNTOLD_SERVER);
  assert.deepEqual(server({ endpoint: "REGID.example.com", version: 1 }), {
    ...UNTOLD_SERVER,
    endpoint: "REGID.example.com",
  });
});

test("0.6 messages: a server's ports are numbers, in the order of the ids", () => {
  const portsOf = (bindPort: unknown) => legacyServerMessage.safeParse({ type: "shakehand2", bindPort }).data;
  assert.deepEqual(portsOf(11081), { type: "shakehand2", bindPort: [11081], vitae: UNTOLD_SERVER });
  assert.deepEqual(portsOf(["11082", 11081]), { type: "shakehand2", bindPort: [11082, 11081], vitae: UNTOLD_SERVER });
  for (const bad of [0, 65536, "", "1e3", null, [null]]) assert.equal(portsOf(bad), undefined);
});

test("0.6 messages: a server's error is a text, whatever it had at hand", () => {
  const textOf = (error: unknown) => (legacyServerMessage.parse({ type: "error", error }) as { error: string }).error;
  assert.equal(textOf("No such registration."), "No such registration.");
  assert.equal(textOf({ code: 1 }), '{"code":1}');
  assert.equal(textOf(undefined), "");
  assert.equal(textOf("x".repeat(2000)).length, 1024);
});
