import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { openRegistry } from "../../../src/registry/open_registry.ts";
import { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";
import { newRegistry, NOW, openFile, requestOf } from "./fixture.ts";

const WINDOWS = process.platform === "win32" && "Windows has no file modes";
const mode = (file: string) => statSync(file).mode & 0o777;

test("registry file: it and its journal are readable by their owner only", { skip: WINDOWS }, (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  assert.equal(mode(file), 0o600);
  assert.equal(mode(`${file}-wal`), 0o600);
});

test("registry file: one that others could read is closed to them when it is opened", { skip: WINDOWS }, (t) => {
  const { registry, file } = newRegistry(t);
  registry.close();
  chmodSync(file, 0o644);
  new SqliteRegistry(file).close();
  assert.equal(mode(file), 0o600);
});

test("registry file: the URL in the config names it", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  const opened = openRegistry(`sqlite:${file}`);
  t.after(() => opened.close());
  assert.equal(opened.registrations().length, 1);
});

test("registry file: two instances see what the other has written, and that it has", (t) => {
  const { registry: one, file } = newRegistry(t);
  const two = openFile(t, file);
  const before = [one.version(), two.version()];
  assert.deepEqual([one.version(), two.version()], before, "nothing has changed");

  one.register(requestOf(one, "a"));
  assert.equal(one.version(), before[0], "its own changes are no news");
  assert.notEqual(two.version(), before[1]);
  assert.equal(two.registrations()[0]?.fingerprint, "SHA256:a");

  two.addAlias("1001", "db.example");
  assert.notEqual(one.version(), before[0]);
  assert.deepEqual(one.registrations()[0]?.aliases, ["db.example"]);
});

test("registry file: two instances never give away the same id or port", (t) => {
  const { registry: one, file } = newRegistry(t);
  const two = openFile(t, file);
  const made = Array.from({ length: 20 }, (_, index) => {
    const registry = index % 2 === 0 ? one : two;
    return registry.register(requestOf(registry, `key ${index}`));
  });
  assert.equal(new Set(made.map(({ id }) => id)).size, 20);
  assert.equal(new Set(made.map(({ port }) => port)).size, 20);
});

test("registry file: a join code made by one instance is used up by another", (t) => {
  const { registry: one, file } = newRegistry(t);
  const two = openFile(t, file);
  one.addJoinCode({ hash: "h", brand: "", usesLeft: 1, expiresAt: NOW + 1 });
  two.register(requestOf(two, "a", { joinHash: "h" }));
  assert.throws(() => one.register(requestOf(one, "b", { joinHash: "h" })), { code: "join-code-used" });
});

const unusable = { name: "PetitError", code: "registry-unusable", exitCode: 1, hint: /backup/ };
const unreachable = { ...unusable, hint: /Check that the folder is there/ };

test("registry file: one that is no database is refused, and left as it is", (t) => {
  const file = join(temporaryFolder(t), "registry.db");
  const garbage = "this is not a database, ".repeat(1000);
  writeFileSync(file, garbage);
  assert.throws(() => new SqliteRegistry(file), {
    ...unusable,
    message: new RegExp(`^Cannot use the registry "${file.replaceAll(/[\\.]/g, "\\$&")}": `),
  });
  assert.equal(readFileSync(file, "utf8"), garbage);
});

test("registry file: one whose header is damaged is refused", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.close();
  const bytes = readFileSync(file);
  bytes.fill(0xff, 0, 100);
  writeFileSync(file, bytes);
  assert.throws(() => new SqliteRegistry(file), unusable);
});

test("registry file: a folder that is not there is said to be the reason", (t) => {
  const file = join(temporaryFolder(t), "none", "registry.db");
  assert.throws(() => new SqliteRegistry(file), { ...unreachable, message: /none/ });
});

test("registry file: a folder in its place is refused", (t) => {
  const file = join(temporaryFolder(t), "registry.db");
  mkdirSync(file);
  assert.throws(() => new SqliteRegistry(file), unreachable);
});

test("registry file: one of a newer version is refused, and left as it is", (t) => {
  const { registry, file } = newRegistry(t);
  registry.close();
  const database = new DatabaseSync(file);
  t.after(() => database.close());
  database.exec("PRAGMA user_version = 1000");
  assert.throws(() => new SqliteRegistry(file), {
    name: "PetitError",
    code: "registry-newer",
    hint: /Install that version/,
  });
  assert.deepEqual({ ...database.prepare("PRAGMA user_version").get() }, { user_version: 1000 });
});

test("registry file: one that is open already opens again, and closed ones leave all in one file", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  const other = new SqliteRegistry(file);
  assert.equal(other.registrations().length, 1);
  other.close();
  registry.close();
  const copy = join(temporaryFolder(t), "copy.db");
  writeFileSync(copy, readFileSync(file));
  assert.equal(openFile(t, copy).registrations().length, 1);
});
