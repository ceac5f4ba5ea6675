import assert from "node:assert/strict";
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { imported, markOf, newRegistry, NOW, openFile, openTold, requestOf, threeGiven } from "./fixture.ts";

test("mark: it tells the highest id and port, and is readable by its owner only", (t) => {
  const file = threeGiven(t);
  assert.deepEqual(markOf(file), { id: 1003, port: 11083, idBefore: 1002 });
  if (process.platform !== "win32") assert.equal(statSync(`${file}.highest`).mode & 0o777, 0o600);
});

test("mark: a registry of a version without marks gets one when it is opened", (t) => {
  const file = threeGiven(t);
  rmSync(`${file}.highest`);
  const { findings } = openTold(t, file);
  assert.deepEqual([markOf(file), findings], [{ id: 1003, port: 11083, idBefore: 1003 }, []]);
});

test("mark: one that such a version has left behind is raised", (t) => {
  const file = threeGiven(t);
  writeFileSync(`${file}.highest`, JSON.stringify({ id: 1001, port: 11081, idBefore: 1000 }));
  openFile(t, file);
  assert.equal(markOf(file).id, 1003);
});

for (const content of ["", "{", "null", '{"id": -1, "port": 1, "idBefore": 1}', '{"id": "1003", "port": 11083}']) {
  test(`mark: ${JSON.stringify(content)} is damaged; the server makes it again, and says so`, (t) => {
    const file = threeGiven(t);
    writeFileSync(`${file}.highest`, content);
    const { registry, findings } = openTold(t, file);
    assert.deepEqual(findings.map(({ code }) => code), ["registry-mark-damaged"]);
    assert.equal(markOf(file).id, 1003);
    assert.equal(registry.register(requestOf(registry, "d")).id, "1004");
  });
}

test("mark: what cannot be marked is not given away, and nothing has changed", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  // In the way of the temporary file: root may write anywhere.
  const inTheWay = `${file}.highest.${process.pid}.tmp`;
  mkdirSync(join(inTheWay, "x"), { recursive: true });
  registry.addJoinCode({ hash: "h", brand: "", usesLeft: 1, expiresAt: NOW + 1 });
  assert.throws(() => registry.register(requestOf(registry, "b", { joinHash: "h" })), { code: "state-unwritable" });
  assert.throws(() => registry.import([imported(1050)], { now: NOW }), { code: "state-unwritable" });
  assert.deepEqual(registry.registrations().map(({ id }) => id), ["1001"]);
  assert.equal(registry.joinCode("h")?.usesLeft, 1);
  rmSync(inTheWay, { recursive: true });
  const made = registry.register(requestOf(registry, "b", { joinHash: "h" }));
  assert.deepEqual([made.id, made.port], ["1002", 11082]);
});

test("mark: what is taken in is marked, and so is what the other system says that it gave away", (t) => {
  const { registry, file } = newRegistry(t);
  registry.import([imported(1040)], { now: NOW, highest: { id: 1050, port: 11_140 } });
  assert.deepEqual(markOf(file), { id: 1050, port: 11_140, idBefore: 1000 });
  registry.import([imported(1060)], { now: NOW, dryRun: true });
  registry.import([{ ...imported(1070), port: imported(1040).port }], { now: NOW });
  assert.equal(markOf(file).id, 1050, "nothing was taken in");
});

test("mark: a change that failed gives its id to the next one, and no id is lost by trying", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  const other = openFile(t, file);
  for (let time = 0; time < 3; time++) {
    // Marked by then; the brand is what SQLite refuses.
    const request = requestOf(registry, "b");
    assert.throws(() => registry.register({ ...request, vitae: { ...request.vitae, brand: {} as string } }));
  }
  assert.equal(markOf(file).id, 1002);
  assert.equal(registry.register(requestOf(registry, "b")).id, "1002");
  const request = requestOf(registry, "c");
  assert.throws(() => registry.register({ ...request, vitae: { ...request.vitae, brand: {} as string } }));
  // Another process cannot know that.
  assert.equal(other.register(requestOf(other, "d")).id, "1004");
  assert.equal(registry.register(requestOf(registry, "e")).id, "1005");
});
