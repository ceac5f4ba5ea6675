import assert from "node:assert/strict";
import test from "node:test";
import { isProhibited, openFailure } from "../../../src/tunnel/open_failure.ts";

const failure = (description: string, reason: number | string) =>
  Object.assign(new Error(`(SSH) Channel open failure: ${description}`), { reason });

test("a channel that was not opened: what the peer says, or what its reason means", () => {
  assert.equal(openFailure(failure("no room", 4)), "no room");
  assert.equal(openFailure(failure("", 1)), "administratively prohibited");
  assert.equal(openFailure(failure("", 2)), "connect failed");
  assert.equal(openFailure(failure("", 4)), "resource shortage");
  for (const reason of [99, "x", ""]) assert.equal(openFailure(failure("", reason)), "no reason given");
  assert.equal(openFailure(new Error("Not connected")), "Not connected");
});

test("a channel that was not opened: it is prohibited where that is the cause of the error, or of its cause", () => {
  const prohibited = failure("no", 1);
  assert.equal(isProhibited(prohibited), true);
  assert.equal(isProhibited(new Error("a", { cause: new Error("b", { cause: prohibited }) })), true);
  for (const other of [failure("no", 2), new Error("a"), { reason: 1 }, undefined]) {
    assert.equal(isProhibited(other), false);
  }
});
