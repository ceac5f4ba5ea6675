import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import test from "node:test";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";
import { listedRegistrations } from "../../../src/registry/listed_registrations.ts";
import { NOW, openFile, requestOf } from "./fixture.ts";

/** The first layout, as 1.0.0-alpha.1 made it: with two registrations, an alias and a join code with one use left. */
const FIRST_LAYOUT = `
  CREATE TABLE registrations (
    id INTEGER PRIMARY KEY, port INTEGER NOT NULL UNIQUE, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    brand TEXT NOT NULL, vitae TEXT, created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX registrations_of_key ON registrations (fingerprint);
  CREATE TABLE aliases (
    alias TEXT PRIMARY KEY, id INTEGER NOT NULL REFERENCES registrations (id) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE join_codes (
    hash TEXT PRIMARY KEY, brand TEXT NOT NULL, uses_left INTEGER NOT NULL CHECK (uses_left >= 0),
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE join_uses (
    hash TEXT NOT NULL, fingerprint TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (hash, fingerprint)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE highest (what TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO highest VALUES ('id', 1007), ('port', 11090);
  INSERT INTO registrations VALUES
    (1001, 11081, 'ssh-ed25519 a', 'SHA256:a', 'ce', '{"brand":"ce","version":"1.0.0","hostname":"a"}', ${NOW}),
    (1007, 11090, 'ssh-ed25519 b', 'SHA256:b', 'acme', NULL, ${NOW + 1});
  INSERT INTO aliases VALUES ('db.example', 1007);
  INSERT INTO join_codes VALUES ('h', 'acme', 1, ${NOW + 5});
  INSERT INTO join_uses VALUES ('h', 'SHA256:b', 1007);
  PRAGMA user_version = 1;`;

function firstLayout(scope: Scope): string {
  const file = join(temporaryFolder(scope), "registry.db");
  const database = new DatabaseSync(file);
  database.exec(FIRST_LAYOUT);
  database.close();
  return file;
}

test("migration: a look from beside brings nothing up to date, and knows clients of 0.6 as that does", (t) => {
  const file = firstLayout(t);
  const database = new DatabaseSync(file);
  database.exec(`
    INSERT INTO registrations VALUES
      (1002, 11082, 'ssh-rsa a', 'SHA256:c', 'ce', NULL, 0),
      (1003, 11083, 'ssh-rsa b', 'SHA256:d', 'ce', '{"brand":"ce","version":"0.6.34"}', 0),
      (1004, 11084, 'ssh-rsa c', 'SHA256:e', 'ce', '{"brand":"ce","version":"1.0.0"}', 0);`);
  const looked = listedRegistrations(`sqlite:${file}`);
  assert.equal(database.prepare("PRAGMA user_version").get()?.["user_version"], 1);
  database.close();
  assert.deepEqual(looked.filter(({ legacy }) => legacy).map(({ id }) => id), ["1002", "1003"]);
  const registry = openFile(t, file);
  assert.deepEqual(looked, registry.registrations().map(({ id, port, legacy }) => ({ id, port, legacy })));
  assert.deepEqual(looked, listedRegistrations(`sqlite:${file}`));
});

test("migration: a registry of the first layout keeps everything", (t) => {
  const file = firstLayout(t);
  for (const time of ["at first", "and from then on"]) {
    const registry = openFile(t, file);
    assert.deepEqual(registry.registrations(), [
      {
        ...{ id: "1001", port: 11081, key: "ssh-ed25519 a", fingerprint: "SHA256:a", brand: "ce", tenant: "default" },
        ...{
          aliases: [],
          vitae: { brand: "ce", version: "1.0.0", hostname: "a" },
          bindAddress: null,
          legacy: false,
          createdAt: NOW,
        },
      },
      {
        ...{ id: "1007", port: 11090, key: "ssh-ed25519 b", fingerprint: "SHA256:b", brand: "acme", tenant: "default" },
        ...{ aliases: ["db.example"], vitae: null, bindAddress: null, legacy: false, createdAt: NOW + 1 },
      },
    ], time);
    const [code] = registry.joinCodes();
    assert.deepEqual([code?.hash, code?.brand, code?.usesLeft, code?.expiresAt], ["h", "acme", 1, NOW + 5], time);
    registry.close();
  }
});

test("migration: a registry of the first layout goes on where it was", (t) => {
  const registry = openFile(t, firstLayout(t));
  const again = registry.register(requestOf(registry, "b", { joinHash: "h", brand: "acme" }));
  assert.equal(again.id, "1007", "what a code was used for is remembered");
  const next = registry.register(requestOf(registry, "c", { joinHash: "h", brand: "acme" }));
  assert.deepEqual([next.id, next.port], ["1008", 11091]);
  registry.unregister("1007");
  const back = registry.register(requestOf(registry, "b", { preferred: { id: "1007", port: 11090 } }));
  assert.deepEqual([back.id, back.port], ["1007", 11090]);
});
