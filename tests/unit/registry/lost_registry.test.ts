import assert from "node:assert/strict";
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import test from "node:test";
import { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";
import { imported, newRegistry, NOW, onDatabase, openFile, openTold, requestOf, threeGiven } from "./fixture.ts";

const lost = { name: "PetitError", code: "registry-lost", hint: /backup.*begin-anew/ };

const losses: Record<string, (file: string) => void> = {
  gone: (file) => rmSync(file),
  empty: (file) => truncateSync(file, 0),
  "without tables": (file) => {
    rmSync(file);
    onDatabase(file, "CREATE TABLE others (id INTEGER)");
  },
};
for (const [what, lose] of Object.entries(losses)) {
  test(`mark: a registry that is ${what} is refused, and what is there is left as it is`, (t) => {
    const file = threeGiven(t);
    lose(file);
    const before = statSync(file, { throwIfNoEntry: false })?.size;
    for (const options of [{}, { onFinding: () => {} }]) {
      assert.throws(() => new SqliteRegistry(file, options), {
        ...lost,
        message: /registry\.db" .*ids up to 1003 have been given away/,
      });
    }
    assert.equal(statSync(file, { throwIfNoEntry: false })?.size, before);
  });
}

test("mark: one that is damaged beside a lost registry is no reason to begin at the first id", (t) => {
  const file = threeGiven(t);
  rmSync(file);
  writeFileSync(`${file}.highest`, "");
  assert.throws(() => new SqliteRegistry(file), { ...lost, message: /ids have been given away/ });
});

test("mark: a registry that never gave anything away may be lost", (t) => {
  const { registry, file } = newRegistry(t);
  registry.close();
  rmSync(file);
  const again = openFile(t, file);
  assert.equal(again.register(requestOf(again, "a")).id, "1001");
});

test("mark: after an older backup the ids go on after the last, and the server is told once which are missing", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.close();
  copyFileSync(file, `${file}.backup`);
  const later = openFile(t, file);
  for (const holder of ["b", "c", "d"]) later.register(requestOf(later, holder));
  later.close();
  copyFileSync(`${file}.backup`, file);

  // A command that is first has nobody to tell, and gives nothing away twice either.
  const command = openFile(t, file);
  const made = command.register(requestOf(command, "e"));
  assert.deepEqual([made.id, made.port], ["1005", 11085]);
  command.close();
  copyFileSync(`${file}.backup`, file);

  const { registry: mended, findings } = openTold(t, file);
  assert.deepEqual(findings.map(({ code }) => code), ["registry-older"]);
  assert.match(findings[0]?.message ?? "", /the ids 1002 to 1005 are missing/);
  const next = mended.register(requestOf(mended, "f"));
  assert.deepEqual([next.id, next.port], ["1006", 11086]);
  assert.deepEqual(openTold(t, file).findings, [], "it is told once");
});

test("mark: an empty registry in place of one that had registrations is refused", (t) => {
  const { registry, file } = newRegistry(t);
  registry.close();
  copyFileSync(file, `${file}.backup`);
  const later = openFile(t, file);
  for (const holder of ["a", "b"]) later.register(requestOf(later, holder));
  later.close();
  copyFileSync(`${file}.backup`, file);
  assert.throws(() => new SqliteRegistry(file), { ...lost, message: /holds no registrations/ });
});

test("mark: a first registration that was cut short is no lost registry", (t) => {
  const { registry, file } = newRegistry(t);
  registry.close();
  writeFileSync(`${file}.highest`, JSON.stringify({ id: 1001, port: 11081, idBefore: 1000 }));
  const { registry: opened, findings } = openTold(t, file);
  assert.match(findings[0]?.message ?? "", /id 1001 is missing.*was about to give away/);
  assert.equal(opened.register(requestOf(opened, "a")).id, "1002");
});

test("registry file: the server finds damage that does not keep it from being opened", (t) => {
  const { registry, file } = newRegistry(t);
  registry.import(Array.from({ length: 500 }, (_, index) => imported(1001 + index)), { now: NOW });
  registry.close();
  const bytes = readFileSync(file);
  bytes.fill(0x55, bytes.length - 8192);
  writeFileSync(file, bytes);
  new SqliteRegistry(file).close();
  assert.throws(() => new SqliteRegistry(file, { onFinding: () => {} }), {
    code: "registry-unusable",
    message: /damaged|malformed/,
    hint: /backup/,
  });
});
