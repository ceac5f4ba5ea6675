import assert from "node:assert/strict";
import test from "node:test";
import type { ImportedRegistration } from "../../../src/registry/registry.ts";
import { contentsOf, imported, newRegistry, NOW, openFile, requestOf } from "./fixture.ts";

test("import: registrations come in with all that is known of them", (t) => {
  const { registry, file } = newRegistry(t);
  const vitae = { brand: "acme", version: "0.6.34", hostname: "h" };
  const result = registry.import([
    imported(1005, { brand: "acme", vitae, aliases: ["b.example", "a.example"] }),
    imported(1002),
  ], { now: NOW });
  assert.deepEqual(result, { added: ["1005", "1002"], known: [], conflicts: [] });
  assert.deepEqual(openFile(t, file).registrations(), [
    { ...imported(1002), tenant: "default", bindAddress: null, legacy: true, createdAt: NOW },
    {
      ...imported(1005, { brand: "acme", vitae, aliases: ["a.example", "b.example"] }),
      tenant: "default",
      bindAddress: null,
      legacy: true,
      createdAt: NOW,
    },
  ]);
});

test("import: a second time nothing changes, and what is known is said to be", (t) => {
  const { registry } = newRegistry(t);
  const file = [imported(1002, { aliases: ["a.example"] }), imported(1003)];
  registry.import(file, { now: NOW });
  registry.removeAlias("1002", "a.example");
  const before = contentsOf(registry, "h");
  assert.deepEqual(registry.import(file, { now: NOW + 5 }), { added: [], known: ["1002", "1003"], conflicts: [] });
  assert.deepEqual(contentsOf(registry, "h"), before);
});

test("import: ids and ports up to the highest are not given away any more", (t) => {
  const { registry } = newRegistry(t);
  registry.import([imported(1005)], { now: NOW });
  const next = registry.register(requestOf(registry, "a"));
  assert.deepEqual([next.id, next.port], ["1006", 11086]);
  registry.import([], { now: NOW, highest: { id: 2000, port: 12000 } });
  const later = registry.register(requestOf(registry, "b"));
  assert.deepEqual([later.id, later.port], ["2001", 12001]);
  registry.import([], { now: NOW, highest: { id: 1, port: 1 } });
  assert.equal(registry.nextPort(), 12002, "lower ones do not bring the count back");
});

test("import: a dry run tells the same and changes nothing", (t) => {
  const { registry, file } = newRegistry(t);
  const other = openFile(t, file);
  const before = [contentsOf(registry, "h"), other.version()];
  const result = registry.import([imported(1005)], { now: NOW, highest: { id: 2000, port: 20000 }, dryRun: true });
  assert.deepEqual(result, { added: ["1005"], known: [], conflicts: [] });
  assert.deepEqual([contentsOf(registry, "h"), other.version()], before);
});

const conflicts: Record<string, { file: ImportedRegistration[]; conflicts: [id: string, reason: RegExp][] }> = {
  "an id that another key has": {
    file: [imported(1001, { fingerprint: "SHA256:x" })],
    conflicts: [["1001", /id belongs to another key/]],
  },
  "an id with another port": {
    file: [imported(1001, { fingerprint: "SHA256:a", port: 11500 })],
    conflicts: [["1001", /port 11081 in this registry, and 11500 in the file/]],
  },
  "a port that another registration has": {
    file: [imported(1010, { port: 11081 })],
    conflicts: [["1010", /port 11081 belongs to registration 1001/]],
  },
  "a port twice in the file": {
    file: [imported(1010), imported(1011, { port: imported(1010).port })],
    conflicts: [["1011", /port 11090 belongs to registration 1010/]],
  },
  "an alias that another registration has": {
    file: [imported(1010, { aliases: ["db.example"] })],
    conflicts: [["1010", /"db\.example" belongs to registration 1001/]],
  },
  "an alias twice in the file": {
    file: [imported(1010, { aliases: ["x.example"] }), imported(1011, { aliases: ["x.example"] })],
    conflicts: [["1011", /"x\.example" belongs to registration 1010/]],
  },
  "an alias that is the address of another in the file, whichever comes first": {
    file: [imported(1010, { aliases: ["1011.example"] }), imported(1011), imported(1012, { aliases: ["1010-x"] })],
    conflicts: [["1010", /address of registration 1011/], ["1012", /address of registration 1010/]],
  },
  "an alias that will be the address of another": {
    file: [imported(1010, { aliases: ["1011.example"] })],
    conflicts: [["1010", /will be the address of registration 1011/]],
  },
  "an id that was given back by another key": {
    file: [imported(1002)],
    conflicts: [["1002", /id was another key's/]],
  },
  "a port that was given back": {
    file: [imported(1010, { port: 11082 })],
    conflicts: [["1010", /port 11082 was that of registration 1002/]],
  },
  "an id whose address is an alias here": {
    file: [imported(999)],
    conflicts: [["999", /alias of registration 1001, "999\.example"/]],
  },
  "several things at once, each of which is told": {
    file: [imported(1010, { port: 11081 }), imported(1011), imported(1012, { aliases: ["db.example"] })],
    conflicts: [["1010", /port/], ["1012", /alias/]],
  },
};
for (const [what, { file, conflicts: wanted }] of Object.entries(conflicts)) {
  test(`import: ${what} stops all of it`, (t) => {
    const { registry } = newRegistry(t);
    for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
    registry.addAlias("1001", "db.example");
    registry.addAlias("1001", "999.example");
    registry.unregister("1002");
    const before = contentsOf(registry, "h");
    const { conflicts } = registry.import(file, { now: NOW });
    assert.deepEqual(conflicts.map(({ id }) => id), wanted.map(([id]) => id));
    wanted.forEach(([, reason], i) => assert.match(conflicts[i]?.reason ?? "", reason));
    assert.deepEqual(contentsOf(registry, "h"), before);
  });
}

test("import: what was unregistered comes back for the same key", (t) => {
  const { registry } = newRegistry(t);
  const file = [imported(1001), imported(1002)];
  registry.import(file, { now: NOW });
  registry.unregister("1002");
  assert.deepEqual(registry.import(file, { now: NOW }), { added: ["1002"], known: ["1001"], conflicts: [] });
});

test("import: an alias that was another's address in the old system, and is nobody's now, may come in", (t) => {
  const { registry } = newRegistry(t);
  const { conflicts } = registry.import([imported(1010, { aliases: ["1005.example"] })], { now: NOW });
  assert.deepEqual(conflicts, []);
});
