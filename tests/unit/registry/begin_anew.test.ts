import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import test from "node:test";
import { beginAnew } from "../../../src/registry/begin_anew.ts";
import { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";
import { markOf, NOW, openFile, openTold, requestOf, threeGiven } from "./fixture.ts";

const NOTHING = { id: 0, port: 0 };
const lost = { name: "PetitError", code: "registry-lost", hint: /backup.*begin-anew/ };

test("begin anew: an empty registry that goes on after the mark; what was left of the former one is kept", (t) => {
  const file = threeGiven(t);
  writeFileSync(file, "garbage");
  const { after, kept } = beginAnew(file, NOTHING, NOW);
  assert.deepEqual(after, { id: 1003, port: 11083 });
  assert.deepEqual(kept.map((name) => readFileSync(name, "utf8")), ["garbage"]);
  const { registry, findings } = openTold(t, file);
  assert.deepEqual([registry.registrations(), findings], [[], []]);
  const made = registry.register(requestOf(registry, "d"));
  assert.deepEqual([made.id, made.port], ["1004", 11084]);
  registry.close();
  rmSync(file);
  assert.throws(() => new SqliteRegistry(file), lost);
  assert.deepEqual(beginAnew(file, { id: 1010, port: 11_083 }, NOW), { after: { id: 1010, port: 11_084 }, kept: [] });
});

test("begin anew: a registry that can be used is left alone", (t) => {
  const file = threeGiven(t);
  assert.throws(() => beginAnew(file, { id: 5000, port: 20_000 }, NOW), { code: "registry-whole" });
  assert.equal(markOf(file).id, 1003);
  assert.equal(openFile(t, file).registrations().length, 3);
});

test("begin anew: where the mark is gone too, somebody has to say where to go on", (t) => {
  const file = threeGiven(t);
  rmSync(`${file}.highest`);
  writeFileSync(file, "garbage");
  assert.throws(() => beginAnew(file, { id: 1003, port: 0 }, NOW), { code: "registry-mark-lost", hint: /--last-id/ });
  assert.equal(readFileSync(file, "utf8"), "garbage");
  beginAnew(file, { id: 1003, port: 11_083 }, NOW);
  const registry = openFile(t, file);
  assert.equal(registry.register(requestOf(registry, "d")).id, "1004");
});
