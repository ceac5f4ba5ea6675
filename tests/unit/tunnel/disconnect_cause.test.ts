import assert from "node:assert/strict";
import test from "node:test";
import {
  BY_APPLICATION,
  causeOfError,
  CAUSES,
  causeSaid,
  closedBy,
  disconnectCode,
  MAX_CAUSE,
  noSignOfLife,
  PROTOCOL_ERROR,
} from "../../../src/tunnel/disconnect_cause.ts";

const systemError = (code: string) => Object.assign(new Error(`read ${code}`), { code });

test("disconnect cause: each has the code of its kind", () => {
  const codes: [cause: string, code: string][] = [
    [CAUSES.clientStopped, "stopped"],
    [CAUSES.serverStopped, "stopped"],
    [CAUSES.clientKilled, "killed"],
    [CAUSES.takenOver, "taken-over"],
    [CAUSES.operator, "operator"],
    [CAUSES.unregistered, "unregistered"],
    [CAUSES.nothingRegistered, "unregistered"],
    [CAUSES.settings, "settings"],
    [noSignOfLife("client", 10_400), "no-sign-of-life"],
    [closedBy("server"), "closed"],
    [causeOfError(systemError("ECONNRESET")), "reset"],
    [causeOfError(systemError("EPIPE")), "reset"],
    [causeOfError(systemError("ETIMEDOUT")), "network"],
    [causeOfError(systemError("EHOSTUNREACH")), "network"],
    [causeOfError(new Error("Invalid MAC")), "protocol"],
    ["not logged in within 30 s", "other"],
  ];
  for (const [cause, code] of codes) assert.equal(disconnectCode(cause), code, cause);
});

test("disconnect cause: errors of the system and silence are told in words", () => {
  assert.equal(causeOfError(systemError("ECONNRESET")), "the connection was reset (ECONNRESET)");
  assert.equal(causeOfError(systemError("ENETDOWN")), "the network failed (ENETDOWN)");
  assert.equal(causeOfError(new Error("Invalid MAC")), "the SSH protocol was broken (Invalid MAC)");
  assert.equal(noSignOfLife("server", 9_600), "no sign of life from the server for 10 s");
});

test("disconnect cause: what the other side decided is told as it said it", () => {
  assert.equal(causeSaid("client", BY_APPLICATION, CAUSES.clientStopped), "the client stopped");
  for (const said of [CAUSES.serverStopped, CAUSES.takenOver, CAUSES.operator]) {
    assert.equal(causeSaid("server", BY_APPLICATION, said), said);
  }
  assert.equal(causeSaid("client", BY_APPLICATION, CAUSES.settings), "the client ended it: the settings changed");
  assert.equal(disconnectCode("the client ended it: the settings changed"), "settings");
  const broken = "the SSH protocol was broken (Invalid MAC)";
  assert.equal(disconnectCode(causeSaid("server", PROTOCOL_ERROR, broken)), "protocol");
});

test("disconnect cause: a client speaks for itself only", () => {
  for (
    const said of [CAUSES.operator, CAUSES.serverStopped, CAUSES.takenOver, closedBy("server"), "the network failed"]
  ) {
    const cause = causeSaid("client", BY_APPLICATION, said);
    assert.equal(cause, `the client ended it: ${said}`);
    assert.ok(["closed", "stopped"].includes(disconnectCode(cause)), `${cause}: ${disconnectCode(cause)}`);
  }
});

test("disconnect cause: an end without a description has that of its reason", () => {
  assert.equal(causeSaid("client", BY_APPLICATION, ""), "the client ended it: no reason given");
  assert.equal(disconnectCode("the client ended it: no reason given"), "closed");
  assert.equal(causeSaid("client", 5, ""), "the client ended it: the SSH protocol was broken (MAC error)");
  assert.equal(causeSaid("server", 12, ""), "the server ended it: too many connections");
  assert.equal(causeSaid("server", 4711, ""), "the server ended it: no reason given");
});

test("disconnect cause: foreign words are bounded, and stay on their line", () => {
  const cause = causeSaid("client", BY_APPLICATION, `${"x".repeat(10_000)}\n`);
  assert.ok(cause.length <= MAX_CAUSE);
  assert.equal(causeSaid("client", BY_APPLICATION, "a\nb\u001b[2J"), "the client ended it: a b [2J");
  assert.ok(causeOfError(new Error("y".repeat(10_000))).length <= MAX_CAUSE);
});
