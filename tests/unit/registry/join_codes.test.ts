import assert from "node:assert/strict";
import test from "node:test";
import type { JoinCodeRecord } from "../../../src/registry/registry.ts";
import { contentsOf, newRegistry, NOW, openFile, requestOf } from "./fixture.ts";

const CODE: JoinCodeRecord = { hash: "h", brand: "", usesLeft: 2, expiresAt: NOW + 1 };

test("join codes: one is kept with what it was made of", (t) => {
  const { registry, file } = newRegistry(t);
  registry.addJoinCode({ ...CODE, brand: "ce" });
  assert.deepEqual(registry.joinCode("h"), { ...CODE, brand: "ce" });
  assert.deepEqual(openFile(t, file).joinCode("h"), { ...CODE, brand: "ce" });
  assert.equal(registry.joinCode("other"), undefined);
});

test("join codes: each registration with one uses it once", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode(CODE);
  registry.register(requestOf(registry, "a", { joinHash: "h" }));
  assert.equal(registry.joinCode("h")?.usesLeft, 1);
  registry.register(requestOf(registry, "b", { joinHash: "h" }));
  assert.equal(registry.joinCode("h")?.usesLeft, 0);
});

const refused: Record<string, { code: Partial<JoinCodeRecord> | undefined; brand?: string; message: RegExp }> = {
  "join-code-unknown": { code: undefined, message: /does not know/ },
  "join-code-used": { code: { usesLeft: 0 }, message: /used already/ },
  "join-code-expired": { code: { expiresAt: NOW }, message: /expired at 2023-11-14T22:13:20\.000Z/ },
  "join-code-brand": { code: { brand: "one" }, brand: "two", message: /brand "one", not "two"/ },
};

for (const [refusal, { code, brand, message }] of Object.entries(refused)) {
  test(`join codes: one is refused with "${refusal}", and nothing has changed`, (t) => {
    const { registry } = newRegistry(t);
    registry.register(requestOf(registry, "before"));
    if (code !== undefined) registry.addJoinCode({ ...CODE, ...code });
    const before = contentsOf(registry, "h");
    const request = requestOf(registry, "a", { joinHash: "h", ...(brand === undefined ? {} : { brand }) });
    assert.throws(() => registry.register(request), { name: "PetitError", code: refusal, message });
    assert.deepEqual(contentsOf(registry, "h"), before);
    assert.equal(registry.register(requestOf(registry, "next")).id, "1002", "no id was used up");
  });
}

test("join codes: one that was used up by others is refused", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode({ ...CODE, usesLeft: 1 });
  registry.register(requestOf(registry, "a", { joinHash: "h" }));
  assert.throws(() => registry.register(requestOf(registry, "b", { joinHash: "h" })), { code: "join-code-used" });
  assert.equal(registry.registrations().length, 1);
});

test("join codes: one for a brand opens the door to clients of that brand", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode({ ...CODE, brand: "one" });
  assert.equal(registry.register(requestOf(registry, "a", { joinHash: "h", brand: "one" })).brand, "one");
});

test("join codes: a key whose answer got lost gets the same registration with the same code", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode({ ...CODE, usesLeft: 1 });
  const made = registry.register(requestOf(registry, "a", { joinHash: "h" }));
  const before = contentsOf(registry, "h");
  assert.deepEqual(registry.register(requestOf(registry, "a", { joinHash: "h" })), made, "although it is used up");
  const late = requestOf(registry, "a", { joinHash: "h", now: NOW + 1_000_000 });
  assert.deepEqual(registry.register(late), made, "although it has expired since");
  assert.deepEqual(contentsOf(registry, "h"), before);
});

test("join codes: a key that comes with another code gets another registration", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode(CODE);
  registry.addJoinCode({ ...CODE, hash: "h2" });
  const one = registry.register(requestOf(registry, "a", { joinHash: "h" }));
  const two = registry.register(requestOf(registry, "a", { joinHash: "h2" }));
  assert.notEqual(one.id, two.id);
  assert.equal(registry.joinCode("h2")?.usesLeft, 1);
});
