import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { lockFolder } from "../../../src/platform/folder_lock.ts";
import { findDaemon, type PidFile, removePidFile, writePidFile } from "../../../src/platform/pid_file.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";

const CONTENT: PidFile = {
  pid: 4711,
  listen: 3016,
  socket: null,
  api: 8101,
  startedAt: "2026-01-01T00:00:00.000Z",
  ready: null,
};

test("pid file: a daemon is found by it while it holds the lock, and not a moment longer", (t) => {
  const folder = temporaryFolder(t);
  const lock = lockFolder(folder, "server");
  assert.equal(findDaemon(folder, "server"), "starting");
  writePidFile(folder, "server", CONTENT);
  assert.deepEqual(findDaemon(folder, "server"), CONTENT);
  lock.release();
  assert.equal(findDaemon(folder, "server"), undefined, "whoever has that process id now is no daemon");
  removePidFile(folder, "server");
  removePidFile(folder, "server");
  assert.deepEqual(readdirSync(folder), []);
});

test("pid file: its first fields are those that tools of 0.6.x read, and only its owner reads them", (t) => {
  const folder = temporaryFolder(t);
  writePidFile(folder, "client", CONTENT);
  const file = join(folder, "client.pid");
  const { pid, listen } = JSON.parse(readFileSync(file, "utf8")) as PidFile;
  assert.deepEqual({ pid, listen }, { pid: 4711, listen: 3016 });
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("pid file: one that 0.6.x wrote is read; a damaged one is no daemon that could be talked to", (t) => {
  const folder = temporaryFolder(t);
  const lock = lockFolder(folder, "server");
  t.after(() => lock.release());
  writeFileSync(join(folder, "server.pid"), '{"pid":4711,"listen":3016}');
  assert.deepEqual(findDaemon(folder, "server"), { ...CONTENT, api: null, startedAt: "" });
  for (const text of ["", "{", "null", "4711", '{"pid":-1,"listen":3016}', '{"pid":"1","listen":3016}', '{"pid":1}']) {
    writeFileSync(join(folder, "server.pid"), text);
    assert.equal(findDaemon(folder, "server"), "starting", text);
  }
});
