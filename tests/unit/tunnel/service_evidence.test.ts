import assert from "node:assert/strict";
import test from "node:test";
import { ServiceEvidence } from "../../../src/tunnel/service_evidence.ts";

const SHOWN = 300_000;

/** Evidence at a time of the test's own, in milliseconds. */
function evidence() {
  const seen = new ServiceEvidence();
  const state = (now: number) => seen.state(now, SHOWN);
  return { seen, state };
}

test("service light: unknown until something was seen, and after five minutes without more", () => {
  const { seen, state } = evidence();
  assert.equal(state(1000), "unknown");
  assert.deepEqual(seen.light(1000, SHOWN), { state: "unknown", at: null });
  seen.reached(1000, 0.84, "caller");
  assert.equal(state(1000 + SHOWN), "green");
  assert.equal(state(1001 + SHOWN), "unknown");
});

test("service light: green with how long it took and who saw it, red with the words, both with when", () => {
  const { seen } = evidence();
  const at = (light: { at: string | null }) => Math.round((Date.now() - Date.parse(light.at as string)) / 1000);
  seen.reached(1000, 0.84, "caller");
  const green = seen.light(31_000, SHOWN);
  assert.deepEqual({ ...green, at: at(green) }, { state: "green", at: 30, milliseconds: 0.8, by: "caller" });
  seen.failed(40_000, "service-refused", "ECONNREFUSED", "probe");
  seen.failed(55_000, "service-refused", "ECONNREFUSED", "probe");
  const { since, ...red } = seen.light(60_000, SHOWN);
  assert.deepEqual({ ...red, at: at(red) }, {
    ...{ state: "red", at: 5, error: "ECONNREFUSED", code: "service-refused" },
    by: "probe",
  });
  assert.equal(at({ at: since as string }), 20, "since the first failure");
  seen.reached(61_000, 1, "probe");
  assert.equal(seen.light(61_000, SHOWN).state, "green");
  seen.failed(70_000, "open-timeout", "x", "caller");
  assert.equal(at({ at: seen.light(71_000, SHOWN).since as string }), 1);
});

test("service light: an answer on a connection that stood already is evidence, unless something newer says no", () => {
  const { seen, state } = evidence();
  seen.answered(1000);
  assert.equal(state(1000), "green");
  seen.failed(2000, "service-refused", "ECONNREFUSED", "caller");
  seen.answered(1500);
  assert.equal(state(2000), "red");
  seen.answered(2500);
  assert.equal(state(2500), "green");
});

test("service light: a wrong answer to a probe is not contradicted by connections that come about", () => {
  const { seen, state } = evidence();
  seen.failed(1000, "service-unwell", "It answered GET / with 503", "probe", true);
  seen.reached(2000, 1, "caller");
  seen.answered(2500);
  assert.equal(state(3000), "red");
  assert.deepEqual(seen.complaint, { at: 1000, code: "service-unwell", error: "It answered GET / with 503" });
  seen.reached(4000, 1, "probe");
  assert.equal(state(4000), "green");
  assert.equal(seen.complaint, undefined);
});

test("service light: once that probe counts no longer, the connections since do", () => {
  const { seen, state } = evidence();
  seen.failed(1000, "service-unwell", "x", "probe", true);
  seen.forgetProbe();
  assert.equal(state(1000), "red");
  seen.failed(2000, "service-unwell", "x", "probe", true);
  seen.reached(3000, 1, "caller");
  seen.forgetProbe();
  assert.equal(state(3000), "green");
});
