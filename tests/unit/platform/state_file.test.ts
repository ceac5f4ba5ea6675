import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { makeStateFolder, writeStateFile } from "../../../src/platform/state_file.ts";
import { temporaryFolder } from "../../world/world.ts";

const WINDOWS = process.platform === "win32" && "Windows has no file modes";
const mode = (path: string) => statSync(path).mode & 0o777;

test("state file: it is written with the folders that it needs, and nothing beside it", (t) => {
  const folder = join(temporaryFolder(t), "a", "b");
  writeStateFile(join(folder, "file"), "content ü");
  assert.equal(readFileSync(join(folder, "file"), "utf8"), "content ü");
  assert.deepEqual(readdirSync(folder), ["file"]);
});

test("state file: it and its folders are readable by their owner only", { skip: WINDOWS }, (t) => {
  const folder = temporaryFolder(t);
  writeStateFile(join(folder, "a", "b", "file"), "x");
  assert.equal(mode(join(folder, "a", "b", "file")), 0o600);
  assert.equal(mode(join(folder, "a", "b")), 0o700);
  assert.equal(mode(join(folder, "a")), 0o700);
});

test("state file: what everybody may read is readable by everybody", { skip: WINDOWS }, (t) => {
  const file = join(temporaryFolder(t), "file");
  writeStateFile(file, "x", 0o644);
  assert.equal(mode(file), 0o644);
});

test("state file: a link that somebody has put in its way leads nowhere", { skip: WINDOWS }, (t) => {
  const folder = temporaryFolder(t);
  const [file, victim] = [join(folder, "file"), join(folder, "victim")];
  writeFileSync(victim, "untouched");
  symlinkSync(victim, `${file}.${process.pid}.tmp`);
  writeStateFile(file, "new");
  assert.equal(readFileSync(victim, "utf8"), "untouched");
  assert.equal(readFileSync(file, "utf8"), "new");
  assert.deepEqual(readdirSync(folder).sort(), ["file", "victim"]);
});

test("state file: one that others could read is theirs no more once it is written", { skip: WINDOWS }, (t) => {
  const file = join(temporaryFolder(t), "file");
  writeFileSync(file, "old");
  chmodSync(file, 0o666);
  writeStateFile(file, "new");
  assert.equal(mode(file), 0o600);
});

test("state file: whoever has the old one open keeps it whole; the new one takes its name", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "file");
  writeStateFile(file, "the old content");
  // Another name of the same file: what it holds does not change unless the file is written in place.
  linkSync(file, join(folder, "old"));
  writeStateFile(file, "new");
  assert.equal(readFileSync(file, "utf8"), "new");
  assert.equal(readFileSync(join(folder, "old"), "utf8"), "the old content");
});

test("state file: one that cannot be written leaves nothing behind, and says which it is", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "file");
  mkdirSync(join(file, "full"), { recursive: true });
  assert.throws(() => writeStateFile(file, "x"), (error: Error & { code: string; hint: string }) => {
    assert.equal(error.code, "state-unwritable");
    assert.ok(error.message.startsWith(`Cannot write "${file}": `), error.message);
    assert.match(error.hint, /folder/);
    return true;
  });
  assert.deepEqual(readdirSync(folder), ["file"]);
});

test("state file: a file in the place of its folder is told as the reason", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "file"), "x");
  for (const path of [join(folder, "file", "below"), join(folder, "file", "deep", "below")]) {
    assert.throws(() => writeStateFile(path, "y"), { name: "PetitError", code: "state-unwritable" });
  }
  assert.throws(() => makeStateFolder(join(folder, "file")), { name: "PetitError", code: "state-unwritable" });
  assert.equal(readFileSync(join(folder, "file"), "utf8"), "x");
});

test("state folder: one that is there already stays as it is", { skip: WINDOWS }, (t) => {
  const folder = join(temporaryFolder(t), "folder");
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, "file"), "x");
  makeStateFolder(folder);
  assert.equal(mode(folder), 0o755);
  assert.deepEqual(readdirSync(folder), ["file"]);
});
