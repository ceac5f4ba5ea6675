import assert from "node:assert/strict";
import test from "node:test";
import { Backchannel } from "../../../src/client/backchannel.ts";
import { SshdBackchannel } from "../../../src/client/sshd_backchannel.ts";
import { encodeMessage } from "../../../src/tunnel/message_stream.ts";
import type { ClientMessage, ServerMessage } from "../../../src/tunnel/messages.ts";
import type { SshClientConnection } from "../../../src/tunnel/ssh_client.ts";
import { MemoryLink } from "../../world/memory_link.ts";

const HELLO: ClientMessage = { type: "handshake1", handshakeVersion: 2, vitae: { brand: "ce", version: "1.0.0" } };
const KNOWN: ServerMessage = {
  type: "shakehand1",
  registrations: [],
  vitae: { environment: "local", endpoint: "http://REGID.x", version: "1.0.0" },
};
const BUSY: ServerMessage = { type: "error", code: "internal", error: "The server could not answer" };

/** A backchannel whose server answers each message with what is due. */
function answering(...answers: ServerMessage[]): { link: MemoryLink; backchannel: Backchannel } {
  const link = new MemoryLink();
  link.onSent = ({ kind }) => {
    const answer = kind === "data" ? answers.shift() : undefined;
    if (answer !== undefined) queueMicrotask(() => link.receive(encodeMessage(answer)));
  };
  return { link, backchannel: new Backchannel(link.channel, true) };
}

test("backchannel behind sshd: one on which the client could not introduce itself is given up, and another one opened", async () => {
  const first = answering(KNOWN);
  const [refused, good] = [answering(BUSY), answering(KNOWN, { type: "didPing1" })];
  const next = [refused.backchannel, good.backchannel];
  const connection = { link: { wire: { writable: true } } } as unknown as SshClientConnection;
  const backchannel = new SshdBackchannel(
    connection,
    first.backchannel,
    () => Promise.resolve(next.shift() as Backchannel),
  );
  await backchannel.ask(HELLO, "shakehand1");
  first.link.receiveClose();
  await assert.rejects(backchannel.ask({ type: "ping1" }, "didPing1"), { code: "internal" });
  assert.ok(refused.link.signs.includes("eof"), "it is not ended");
  assert.deepEqual(await backchannel.ask({ type: "ping1" }, "didPing1"), { type: "didPing1" });
  assert.match(good.link.data, /^\{"type":"handshake1".*\x03\{"type":"ping1"\}\x03$/);
  backchannel.close();
});
