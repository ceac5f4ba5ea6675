import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { makeHostKey, readHostKey } from "../../../../src/server/host_key/host_key.ts";
import { temporaryFolder } from "../../../world/world.ts";

const WINDOWS = process.platform === "win32" && "Windows has no file modes";

test("host key: what was made is read again, with its public half beside it", (t) => {
  const file = join(temporaryFolder(t), "keys", "host_key");
  const made = makeHostKey(file);
  assert.deepEqual(readHostKey(file), made);
  assert.equal(readFileSync(`${file}.pub`, "utf8"), `${made.publicKey.line} petit host key\n`);
});

test("host key: the private half is readable by its owner only", { skip: WINDOWS }, (t) => {
  const file = join(temporaryFolder(t), "host_key");
  makeHostKey(file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("host key: one that is not there is told from one that cannot be used", (t) => {
  const file = join(temporaryFolder(t), "host_key");
  assert.throws(() => readHostKey(file), { name: "PetitError", code: "host-key-missing", hint: /petit server init/ });
  writeFileSync(file, "not a key", { mode: 0o600 });
  assert.throws(() => readHostKey(file), (error: Error & { code: string }) => {
    assert.equal(error.code, "host-key-unusable");
    assert.ok(error.message.startsWith(`Cannot use the host key "${file}": `));
    return true;
  });
});
