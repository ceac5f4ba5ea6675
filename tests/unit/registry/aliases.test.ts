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

for (
  const alias of ["1002", "1002-x", "1002.example.com", "1002-x.example.com", "1003.example.com", "9999-a.example"]
) {
  test(`aliases: ${alias} leads callers to another registration, now or one day, and is refused`, (t) => {
    const { registry } = newRegistry(t);
    for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
    assert.throws(() => registry.addAlias("1001", alias), {
      name: "PetitError",
      code: "alias-taken",
      message: new RegExp(`"${alias}" (is|will be) the address of registration ${/^\d+/.exec(alias)?.[0]}`),
    });
    assert.deepEqual(aliasesOf(registry), ["1001", "1002"]);
  });
}

for (
  const alias of ["1001.example.com", "1001-x", "365.example.com", "10.0.0.5", "01002.example.com", "1002x.example"]
) {
  test(`aliases: ${alias} is nobody else's address, and can be had`, (t) => {
    const { registry } = newRegistry(t);
    for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
    registry.addAlias("1001", alias);
    assert.deepEqual(aliasesOf(registry), [`1001 ${alias}`, "1002"]);
  });
}

test("aliases: case does not matter", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.addAlias("1001", "DB.Example");
  assert.deepEqual(aliasesOf(registry), ["1001 db.example"]);
  registry.removeAlias("1001", "Db.eXample");
  assert.deepEqual(aliasesOf(registry), ["1001"]);
});

const NO_HOST_NAMES = [
  "",
  " ",
  "a b",
  "a_b",
  "-a",
  "a-",
  "a..b",
  ".a",
  "a.",
  "*.a",
  "a:80",
  "http://a",
  "ü.example",
  "a/b",
  "[::1]",
];
for (const alias of [...NO_HOST_NAMES, "a".repeat(64), `${"a.".repeat(127)}`, `${"a.".repeat(127)}b`]) {
  test(`aliases: ${JSON.stringify(alias.slice(0, 70))} is not a host name`, (t) => {
    const { registry } = newRegistry(t);
    registry.register(requestOf(registry, "a"));
    assert.throws(() => registry.addAlias("1001", alias), { name: "PetitError", code: "alias-invalid", exitCode: 2 });
    assert.deepEqual(aliasesOf(registry), ["1001"]);
  });
}
