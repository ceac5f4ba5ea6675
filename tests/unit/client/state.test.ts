import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { clientKey, readRegistration, writeEndpoint, writeRegistration } from "../../../src/client/state.ts";
import { readTenants } from "../../../src/client/tenants.ts";
import { localSchema } from "../../../src/config/client_settings.ts";
import { publicKeyOf } from "../../../src/tunnel/keys.ts";
import { type Scope, temporaryFolder } from "../../world/world.ts";

const WINDOWS = process.platform === "win32" && "Windows has no file modes";
const LOCAL = localSchema.parse({});
const GIVEN = { registeredId: "1001", registeredPort: 11081, endpoint: "http://1001.example.com" };

test("client key: it is made at first use, and the same ever after", (t) => {
  const folder = join(temporaryFolder(t), "state");
  const first = clientKey(folder);
  assert.equal(first.made, true);
  assert.deepEqual(publicKeyOf(first.privatePem), first.publicKey);
  assert.deepEqual(clientKey(folder), { ...first, made: false });
});

test("client key: it and its folder are their owner's only", { skip: WINDOWS }, (t) => {
  const folder = join(temporaryFolder(t), "state");
  clientKey(folder);
  assert.equal(statSync(join(folder, "key")).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test("client key: one that cannot be read is told, and not replaced", (t) => {
  const folder = temporaryFolder(t);
  for (const content of ["", "not a key"]) {
    writeFileSync(join(folder, "key"), content, { mode: 0o600 });
    assert.throws(() => clientKey(folder), { name: "PetitError", code: "key-unusable", hint: /backup/ });
    assert.equal(readFileSync(join(folder, "key"), "utf8"), content);
  }
});

test("registration: what the server gave is kept, with the endpoint beside it", (t) => {
  const folder = temporaryFolder(t);
  assert.equal(readRegistration(folder, "default"), undefined);
  writeRegistration(folder, "default", GIVEN);
  assert.deepEqual(readRegistration(folder, "default"), { id: "1001", port: 11081 });
  assert.equal(readFileSync(join(folder, "tenants", "default", "endpoint"), "utf8"), GIVEN.endpoint);
  assert.equal(readFileSync(join(folder, "endpoint"), "utf8"), GIVEN.endpoint);
});

test("registration: a new one takes the place of the old", (t) => {
  const folder = temporaryFolder(t);
  writeRegistration(folder, "default", GIVEN);
  writeRegistration(folder, "default", { ...GIVEN, registeredId: "1002", registeredPort: 11082 });
  assert.deepEqual(readRegistration(folder, "default"), { id: "1002", port: 11082 });
});

test("registration: the client's own endpoint is that of its default tenant", (t) => {
  const folder = temporaryFolder(t);
  writeRegistration(folder, "other", GIVEN);
  assert.equal(existsSync(join(folder, "endpoint")), false);
  writeEndpoint(folder, "default", "http://new");
  writeEndpoint(folder, "other", "http://other");
  assert.equal(readFileSync(join(folder, "endpoint"), "utf8"), "http://new");
  assert.equal(readFileSync(join(folder, "tenants", "other", "endpoint"), "utf8"), "http://other");
});

/** A folder whose default tenant has this for a registration. */
function folderWith(scope: Scope, content: string): string {
  const folder = temporaryFolder(scope);
  mkdirSync(join(folder, "tenants", "default"), { recursive: true });
  writeFileSync(join(folder, "tenants", "default", "registration"), content);
  return folder;
}

for (
  const content of [
    "",
    "{",
    "null",
    "[]",
    '"1001"',
    "{}",
    '{"id":"1001"}',
    '{"port":11081}',
    '{"id":1001,"port":11081}',
    '{"id":"","port":11081}',
    '{"id":"1001","port":"11081"}',
    '{"id":"1001","port":0}',
    '{"id":"1001","port":70000}',
    '{"id":"1001","port":1.5}',
    '{"id":"1001","port":null}',
  ]
) {
  test(`registration: one that holds ${JSON.stringify(content)} is damaged, and the file is named`, (t) => {
    const folder = folderWith(t, content);
    for (const read of [() => readRegistration(folder, "default"), () => readTenants(folder, LOCAL)]) {
      assert.throws(read, (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "registration-damaged");
        assert.ok(error.message.includes(join(folder, "tenants", "default", "registration")));
        assert.match(error.hint, /register again/);
        return true;
      });
    }
  });
}

test("registration: what a later version adds to it does no harm", (t) => {
  const folder = folderWith(t, '{"id":"1001","port":11081,"since":"2030"}\n');
  assert.deepEqual(readRegistration(folder, "default"), { id: "1001", port: 11081 });
});
