import assert from "node:assert/strict";
import test from "node:test";
import { JOIN_CODES_KEPT, type NewJoinCode } from "../../../src/registry/registry.ts";
import { contentsOf, newRegistry, NOW, openFile, requestOf } from "./fixture.ts";

const CODE = { hash: "h", brand: "", usesLeft: 2, expiresAt: NOW + 1, createdAt: NOW };

test("join codes: one is kept with what it was made of", (t) => {
  const { registry, file } = newRegistry(t);
  registry.addJoinCode({ ...CODE, brand: "ce" });
  assert.deepEqual(registry.joinCode("h"), { ...CODE, brand: "ce", uses: 2 });
  assert.deepEqual(openFile(t, file).joinCode("h"), { ...CODE, brand: "ce", uses: 2 });
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

const refused: Record<string, { code: Partial<NewJoinCode> | undefined; brand?: string; message: RegExp }> = {
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

test("join codes: they are listed, the newest first, used up and expired ones too", (t) => {
  const { registry } = newRegistry(t);
  const codes = [{ ...CODE, hash: "a1" }, { ...CODE, hash: "b1", createdAt: NOW + 2 }, {
    ...CODE,
    hash: "c1",
    usesLeft: 0,
  }];
  for (const code of codes) registry.addJoinCode(code);
  registry.register(requestOf(registry, "a", { joinHash: "b1" }));
  assert.deepEqual(registry.joinCodes().map(({ hash, uses, usesLeft }) => [hash, uses, usesLeft]), [
    ["b1", 2, 1],
    ["a1", 2, 2],
    ["c1", 0, 0],
  ]);
});

test("join codes: one that is revoked opens nothing any more, and what was made with it stays", (t) => {
  const { registry } = newRegistry(t);
  for (const hash of ["ab01", "ab02", "cd01"]) registry.addJoinCode({ ...CODE, hash });
  registry.register(requestOf(registry, "a", { joinHash: "cd01" }));
  assert.deepEqual(registry.revokeJoinCode("cd"), { ...CODE, hash: "cd01", uses: 2, usesLeft: 1 });
  assert.throws(() => registry.register(requestOf(registry, "b", { joinHash: "cd01" })), { code: "join-code-unknown" });
  assert.deepEqual(registry.registrations().map(({ id }) => id), ["1001"]);
  assert.deepEqual(registry.joinCodes().map(({ hash }) => hash), ["ab01", "ab02"]);
});

test("join codes: what names none or several revokes none", (t) => {
  const { registry } = newRegistry(t);
  for (const hash of ["ab01", "ab02", "cd01"]) registry.addJoinCode({ ...CODE, hash });
  for (const typed of ["", "*", "?d01", "[a-c]d01", "cd010", "CD01", "%", "c*", "ef"]) {
    assert.throws(() => registry.revokeJoinCode(typed), { name: "PetitError", code: "join-code-unknown" }, typed);
  }
  assert.throws(() => registry.revokeJoinCode("ab"), {
    name: "PetitError",
    code: "join-code-ambiguous",
    message: /"ab"/,
  });
  assert.equal(registry.joinCodes().length, 3);
});

test("join codes: those that expired before are forgotten, and a use of them with them", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode(CODE);
  registry.addJoinCode({ ...CODE, hash: "later", expiresAt: NOW + 3 });
  registry.register(requestOf(registry, "a", { joinHash: "h" }));
  registry.forgetJoinCodes(NOW + 1);
  assert.equal(registry.joinCodes().length, 2, "not before its time");
  registry.forgetJoinCodes(NOW + 2);
  assert.deepEqual(registry.joinCodes().map(({ hash }) => hash), ["later"]);
  assert.throws(() => registry.register(requestOf(registry, "a", { joinHash: "h" })), { code: "join-code-unknown" });
});

test("join codes: a new one sweeps out those that expired a week before it", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode(CODE);
  const week = CODE.expiresAt + JOIN_CODES_KEPT;
  registry.addJoinCode({ ...CODE, hash: "two", createdAt: week, expiresAt: week + 9 });
  assert.equal(registry.joinCodes().length, 2);
  registry.addJoinCode({ ...CODE, hash: "three", createdAt: week + 1, expiresAt: week + 9 });
  assert.deepEqual(registry.joinCodes().map(({ hash }) => hash), ["three", "two"]);
});
