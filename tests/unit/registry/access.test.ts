import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import type { Credential } from "../../../src/registry/access.ts";
import { newRegistry, openFile, requestOf } from "./fixture.ts";

const credential = (id: string, more: Partial<Credential> = {}): Credential => ({
  ...{ id, registration: "1001", kind: "bearer", user: "", label: "", hash: "sha256:x", createdAt: 1, expiresAt: null },
  ...more,
});

test("access: rules and credentials are kept, and another process sees that they changed", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  const other = openFile(t, file);
  const version = other.version();
  const rule = { allow: ["10.0.0.0/8"], require: ["bearer" as const], stripCredentials: false };
  registry.access.setRule("1001", rule);
  assert.notEqual(other.version(), version);
  assert.deepEqual(other.access.rule("1001"), rule);
  assert.deepEqual([...other.access.rules()], [["1001", rule]]);
  const all = [
    credential("aaaaaaaaaaaa"),
    credential("bbbbbbbbbbbb", {
      registration: null,
      kind: "basic",
      user: "ann",
      label: "Ann",
      expiresAt: 5,
      createdAt: 2,
    }),
  ];
  for (const one of all) registry.access.add(one);
  assert.deepEqual(other.access.credentials(), all);
  assert.deepEqual(other.access.revoke("aaaaaaaaaaaa"), all[0]);
  assert.deepEqual(registry.access.credentials(), [all[1]]);
  for (const nothing of [null, {}]) {
    registry.access.setRule("1001", rule);
    registry.access.setRule("1001", nothing);
    assert.equal(other.access.rule("1001"), undefined);
  }
});

test("access: what belongs to nobody is refused, and so is a user who is there already", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.register(requestOf(registry, "b"));
  const { access } = registry;
  const ann = (id: string, registration: string | null) => credential(id, { registration, kind: "basic", user: "ann" });
  for (const id of ["1003", "x", ""]) {
    assert.throws(() => access.setRule(id, {}), { code: "registration-unknown" });
    assert.throws(() => access.rule(id), { code: "registration-unknown" });
    assert.throws(() => access.add(credential("cccccccccccc", { registration: id })), { code: "registration-unknown" });
  }
  access.add(ann("aaaaaaaaaaaa", "1001"));
  access.add(ann("bbbbbbbbbbbb", "1002"));
  access.add(ann("cccccccccccc", null));
  for (const registration of ["1001", null]) {
    assert.throws(() => access.add(ann("dddddddddddd", registration)), { code: "user-taken", message: /"ann"/ });
  }
  assert.throws(() => access.revoke("dddddddddddd"), { code: "credential-unknown" });
});

test("access: all of it stays when a registration is given back, for when its key comes again", (t) => {
  const { registry } = newRegistry(t);
  const { id, port } = registry.register(requestOf(registry, "a"));
  registry.access.setRule(id, { require: ["bearer"] });
  registry.access.add(credential("aaaaaaaaaaaa"));
  registry.unregister(id);
  registry.register(requestOf(registry, "a", { preferred: { id, port } }));
  assert.deepEqual(registry.access.rule(id), { require: ["bearer"] });
  assert.equal(registry.access.credentials().length, 1);
});

test("access: a rule that cannot be read is told apart from none", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  for (
    const text of ["", "{", "[]", '{"allow":"10.0.0.0/8"}', '{"allow":["x"]}', '{"require":["charm"]}', '{"more":1}']
  ) {
    const db = new DatabaseSync(file);
    db.prepare("INSERT OR REPLACE INTO access_rules VALUES (1001, ?)").run(text);
    db.close();
    assert.equal(registry.access.rule("1001"), "damaged", text);
  }
});
