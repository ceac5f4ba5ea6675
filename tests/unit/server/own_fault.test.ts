import assert from "node:assert/strict";
import test from "node:test";
import { PetitError } from "../../../src/error.ts";
import { isOwnFault, toldError } from "../../../src/server/own_fault.ts";

test("a client is told the sentence of a refusal, and its code", () => {
  const refusal = new PetitError("registration-unknown", "There is none");
  assert.deepEqual(toldError(refusal), { code: "registration-unknown", error: "There is none" });
  assert.equal(isOwnFault(refusal), false);
});

for (const code of ["registry-unwritable", "registry-damaged", "state-unwritable"]) {
  test(`a client is told nothing of this machine's paths: ${code}`, () => {
    const error = new PetitError(code, "Cannot write /var/lib/petit/registry");
    assert.equal(isOwnFault(error), true);
    const told = toldError(error);
    assert.equal(told.code, code);
    assert.match(told.error, /^The server cannot write its registry at present/);
  });
}

test("a client is told nothing of a fault of petit's own", () => {
  for (const fault of [new TypeError("x is undefined"), "text", undefined]) {
    assert.deepEqual(toldError(fault), { code: "internal", error: "The server could not answer" });
    assert.equal(isOwnFault(fault), false);
  }
});
