import assert from "node:assert/strict";
import test from "node:test";
import type { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";
import { newRegistry, requestOf } from "./fixture.ts";

const aliasesOf = (registry: SqliteRegistry) =>
  registry.registrations().map(({ id, aliases }) => [id, ...aliases].join(" "));

test("aliases: they belong to the registration that they were added to, in order", (t) => {
  const { registry } = newRegistry(t);
  for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
  registry.addAlias("1002", "z.example");
  registry.addAlias("1002", "b.example");
  assert.deepEqual(aliasesOf(registry), ["1001", "1002 b.example z.example"]);
});

test("aliases: adding one a second time changes nothing", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.addAlias("1001", "db.example");
  registry.addAlias("1001", "db.example");
  assert.deepEqual(aliasesOf(registry), ["1001 db.example"]);
});

test("aliases: one that belongs to another registration stays with it", (t) => {
  const { registry } = newRegistry(t);
  for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
  registry.addAlias("1001", "db.example");
  assert.throws(() => registry.addAlias("1002", "db.example"), {
    name: "PetitError",
    code: "alias-taken",
    message: /"db\.example" belongs to registration 1001/,
  });
  assert.deepEqual(aliasesOf(registry), ["1001 db.example", "1002"]);
});

test("aliases: a registration that is not there gets none", (t) => {
  const { registry } = newRegistry(t);
  for (const id of ["1001", "x", ""]) {
    assert.throws(() => registry.addAlias(id, "db.example"), { name: "PetitError", code: "registration-unknown" });
  }
  registry.register(requestOf(registry, "a"));
  registry.addAlias("1001", "db.example");
  assert.deepEqual(aliasesOf(registry), ["1001 db.example"]);
});

test("aliases: one that was taken away is free for another", (t) => {
  const { registry } = newRegistry(t);
  for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
  registry.addAlias("1001", "db.example");
  registry.removeAlias("1001", "db.example");
  registry.addAlias("1002", "db.example");
  assert.deepEqual(aliasesOf(registry), ["1001", "1002 db.example"]);
});

test("aliases: only the registration that has one can lose it", (t) => {
  const { registry } = newRegistry(t);
  for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
  registry.addAlias("1001", "db.example");
  for (const [id, alias] of [["1002", "db.example"], ["1001", "other.example"], ["x", "db.example"]] as const) {
    assert.throws(() => registry.removeAlias(id, alias), { name: "PetitError", code: "alias-unknown" });
  }
  assert.deepEqual(aliasesOf(registry), ["1001 db.example", "1002"]);
});

test("aliases: a registration that is asked for again brings its aliases", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.addAlias("1001", "db.example");
  const again = registry.register(requestOf(registry, "a", { preferred: { id: "1001", port: 11081 } }));
  assert.deepEqual(again.aliases, ["db.example"]);
});
