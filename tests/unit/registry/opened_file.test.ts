import assert from "node:assert/strict";
import { copyFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import type { PetitError } from "../../../src/error.ts";
import { imported, newRegistry, NOW, onDatabase, openFile, openTold, requestOf, threeGiven } from "./fixture.ts";

const changes: Record<string, [change: (file: string) => void, message: RegExp]> = {
  "taken away": [(file) => rmSync(file), /was taken away while it was open/],
  replaced: [(file) => {
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
  }, /was replaced/],
  cut: [(file) => truncateSync(file, statSync(file).size / 2), /was damaged/],
  emptied: [(file) => truncateSync(file, 0), /was emptied/],
  overwritten: [(file) => writeFileSync(file, Buffer.alloc(statSync(file).size, "garbage ")), /was damaged/],
};
for (const [what, [change, message]] of Object.entries(changes)) {
  const skip = process.platform === "win32" && "Windows does not let a file that is open be taken away";
  test(`registry file: one that is ${what} while it is open is written no more`, { skip }, (t) => {
    const file = threeGiven(t);
    const registry = openFile(t, file);
    change(file);
    const refused = { code: "registry-replaced", message, hint: /Stop the server/ };
    assert.throws(() => registry.register(requestOf(registry, "d")), refused);
    assert.throws(() => registry.unregister("1001"), refused);
    assert.throws(() => registry.version(), refused);
  });
}

test("registry file: the server saves what was in one that was taken away while it was open", (t) => {
  const file = threeGiven(t);
  const { registry } = openTold(t, file);
  registry.addAlias("1001", "db.example");
  const before = registry.registrations();
  rmSync(file);
  let rescued = "";
  for (let time = 0; time < 2; time++) {
    assert.throws(() => registry.version(), ({ hint }: PetitError) => {
      const name = /put "([^"]+)"/.exec(hint ?? "")?.[1] as string;
      assert.ok(rescued === "" || rescued === name, "once");
      rescued = name;
      return true;
    });
  }
  registry.close();
  if (process.platform !== "win32") assert.equal(statSync(rescued).mode & 0o777, 0o600);
  for (const journal of ["-wal", "-shm"]) rmSync(file + journal, { force: true });
  renameSync(rescued, file);
  const { registry: again, findings } = openTold(t, file);
  assert.deepEqual([again.registrations(), findings], [before, []]);
  assert.equal(again.register(requestOf(again, "d")).id, "1004");
});

test("registry file: VACUUM makes it shorter, and is no damage", (t) => {
  const { registry, file } = newRegistry(t);
  registry.import(Array.from({ length: 500 }, (_, index) => imported(1001 + index)), { now: NOW });
  registry.close();
  const open = openFile(t, file);
  open.register(requestOf(open, "a"));
  const before = statSync(file).size;
  for (const { id } of open.registrations().slice(1)) open.unregister(id);
  onDatabase(file, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
  open.version();
  assert.ok(statSync(file).size < before);
  assert.equal(open.register(requestOf(open, "b")).id, "1502");
});

test("registry file: what SQLite itself writes to it is no damage", (t) => {
  const { registry, file } = newRegistry(t);
  const before = statSync(file).mtimeMs;
  registry.import(Array.from({ length: 500 }, (_, index) => imported(1001 + index)), { now: NOW });
  onDatabase(file, "PRAGMA wal_checkpoint(TRUNCATE)");
  assert.ok(statSync(file).mtimeMs > before);
  registry.version();
  assert.equal(registry.register(requestOf(registry, "a")).id, "1501");
});
