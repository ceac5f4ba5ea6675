import assert from "node:assert/strict";
import test from "node:test";
import { inTime } from "../../../src/client/in_time.ts";

const never = new Promise<never>(() => {});

test("in time: what comes soon enough is what it comes to, good or bad", async () => {
  assert.equal(await inTime(Promise.resolve(7), 60_000), 7);
  await assert.rejects(inTime(Promise.reject(new Error("no")), 60_000), /^Error: no$/);
});

test("in time: what does not come is said to be silent", async () => {
  await assert.rejects(inTime(never, 1), { name: "PetitError", code: "server-silent", message: /within 0\.001 s/ });
});
