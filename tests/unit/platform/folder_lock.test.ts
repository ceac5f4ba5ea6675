import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { PetitError } from "../../../src/error.ts";
import { isLocked, lockFolder } from "../../../src/platform/folder_lock.ts";
import { runtimeName } from "../../../src/platform/runtime.ts";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), "lock_for_ever.ts");
const RUN = runtimeName().startsWith("deno") ? ["run", "--quiet", "--no-check", "--allow-all", SCRIPT] : [SCRIPT];
const SLOW = { timeout: 120_000 };

function locker(scope: Scope, folder: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [...RUN, folder, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  scope.after(() => child.kill("SIGKILL"));
  return child;
}

const refused = (error: unknown) => error instanceof PetitError && error.code === "folder-locked";

test("folder lock: the file is empty, its owner's, alone, and gone after the release", (t) => {
  const folder = temporaryFolder(t);
  assert.equal(isLocked(folder, "server"), false);
  const lock = lockFolder(folder, "server");
  assert.deepEqual(readdirSync(folder), ["server.lock"]);
  assert.equal(statSync(join(folder, "server.lock")).size, 0);
  assert.equal(statSync(join(folder, "server.lock")).mode & 0o777, 0o600);
  assert.equal(isLocked(folder, "server"), true);
  lock.release();
  lock.release();
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(isLocked(folder, "server"), false);
});

test("folder lock: what a dead daemon has left is taken away before anybody can see the lock", (t) => {
  const folder = temporaryFolder(t);
  const seen: boolean[] = [];
  const lock = lockFolder(folder, "server", () => seen.push(isLocked(folder, "server")));
  seen.push(isLocked(folder, "server"));
  assert.deepEqual(seen, [false, true]);
  lock.release();
});

test("folder lock: server and client may share a folder", (t) => {
  const folder = temporaryFolder(t);
  const server = lockFolder(folder, "server");
  const client = lockFolder(folder, "client");
  server.release();
  assert.equal(isLocked(folder, "client"), true);
  client.release();
});

test(
  "folder lock: held by another process it is refused; looking does not loosen it; a stale lock of a dead process is taken over",
  SLOW,
  async (t) => {
    const folder = temporaryFolder(t);
    const child = locker(t, folder);
    await once(child.stdout as NodeJS.ReadableStream, "data");
    for (let looks = 0; looks < 3; looks++) assert.equal(isLocked(folder, "server"), true);
    assert.throws(() => lockFolder(folder, "server"), refused);
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    assert.ok(existsSync(join(folder, "server.lock")), "the file stays behind");
    assert.equal(isLocked(folder, "server"), false);
    lockFolder(folder, "server").release();
  },
);

test("folder lock: of two processes that race for it, over and over, never do both have it", SLOW, async (t) => {
  const folder = temporaryFolder(t);
  // The helpers make a folder while they have the lock; that fails where both have it.
  const racers = [locker(t, folder, "100"), locker(t, folder, "100")];
  const codes = await Promise.all(racers.map(async (child) => (await once(child, "exit"))[0] as number));
  assert.deepEqual(codes, [0, 0]);
  assert.deepEqual(readdirSync(folder), []);
});

test("folder lock: a file of that name that petit has not made is replaced", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "server.lock"), "this is no lock of petit's\n".repeat(100));
  assert.equal(isLocked(folder, "server"), false);
  const lock = lockFolder(folder, "server");
  assert.equal(isLocked(folder, "server"), true);
  lock.release();
});

test("folder lock: in a folder that cannot be written it is a sentence", {
  skip: process.getuid?.() === 0 && "root writes everywhere",
}, (t) => {
  const folder = join(temporaryFolder(t), "sealed");
  mkdirSync(folder, { mode: 0o500 });
  t.after(() => chmodSync(folder, 0o700));
  assert.throws(
    () => lockFolder(folder, "server"),
    (error) => error instanceof PetitError && error.code === "state-unwritable" && error.message.includes(folder),
  );
});
