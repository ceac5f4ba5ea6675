import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { makeHostKey, readHostKey } from "../../../../src/server/host_key/host_key.ts";
import {
  finishingSteps,
  makeNext,
  readHostKeys,
  removeNext,
  tidy,
} from "../../../../src/server/host_key/host_key_files.ts";
import { type Scope, temporaryFolder } from "../../../world/temporary_folder.ts";

function newKey(t: Scope): string {
  const file = join(temporaryFolder(t), "host_key");
  makeHostKey(file);
  return file;
}

test("host key files: the next one stands beside the current one, its owner's only", (t) => {
  const file = newKey(t);
  assert.equal(readHostKeys(file).next, undefined);
  makeNext(file);
  const { current, next } = readHostKeys(file);
  assert.equal(current.privatePem, readHostKey(file).privatePem);
  assert.notEqual(next?.publicKey.line, current.publicKey.line);
  assert.ok(readFileSync(`${file}.next.pub`, "utf8").startsWith(next?.publicKey.line as string));
  if (process.platform !== "win32") assert.equal(statSync(`${file}.next`).mode & 0o777, 0o600);
  removeNext(file);
  assert.deepEqual(readdirSync(join(file, "..")).sort(), ["host_key", "host_key.pub"]);
});

test("host key files: at each step of the change there is a whole key under the name of the current one", (t) => {
  const file = newKey(t);
  makeNext(file);
  const before = readHostKey(file);
  const next = readHostKey(`${file}.next`);
  const seen = finishingSteps(file).map((step) => (step(), readHostKey(file).publicKey.line));
  assert.deepEqual(seen, [before, next, next].map(({ publicKey }) => publicKey.line));
  assert.equal(readHostKey(`${file}.former`).privatePem, before.privatePem);
  if (process.platform !== "win32") {
    for (const name of [file, `${file}.former`]) assert.equal(statSync(name).mode & 0o777, 0o600, name);
  }
  assert.deepEqual(
    readdirSync(join(file, "..")).sort(),
    ["host_key", "host_key.former", "host_key.former.pub", "host_key.pub"],
  );
  assert.ok(readFileSync(`${file}.pub`, "utf8").startsWith(next.publicKey.line));
});

test("host key files: a change that was broken off can be begun again", (t) => {
  const file = newKey(t);
  makeNext(file);
  const { line } = readHostKey(`${file}.next`).publicKey;
  (finishingSteps(file)[0] as () => void)();
  for (const step of finishingSteps(file)) step();
  assert.equal(readHostKey(file).publicKey.line, line);
});

test("host key files: the public half is put right after a change that was broken off, and at no other time", (t) => {
  const file = newKey(t);
  writeFileSync(`${file}.pub`, "a person's own words\n");
  tidy(file);
  assert.equal(readFileSync(`${file}.pub`, "utf8"), "a person's own words\n");
  makeNext(file);
  tidy(file);
  assert.ok(existsSync(`${file}.next.pub`));
  for (const step of finishingSteps(file).slice(0, 2)) step();
  tidy(file);
  assert.ok(readFileSync(`${file}.pub`, "utf8").startsWith(readHostKey(file).publicKey.line));
  assert.equal(existsSync(`${file}.next.pub`), false);
});

test("host key files: a public half that a person has taken away does not come back", (t) => {
  const file = newKey(t);
  rmSync(`${file}.pub`);
  makeNext(file);
  for (const step of finishingSteps(file)) step();
  assert.equal(existsSync(`${file}.pub`), false);
});

test("host key files: a next key that is damaged is told of, and does not stand in the way of the current one", (t) => {
  const file = newKey(t);
  writeFileSync(`${file}.next`, "damaged", { mode: 0o600 });
  const { current, next, problem } = readHostKeys(file);
  assert.equal(current.publicKey.line, readHostKey(file).publicKey.line);
  assert.equal(next, undefined);
  assert.equal(problem?.code, "host-key-unusable");
  assert.ok(problem?.message.includes(`${file}.next`));
});
