import assert from "node:assert/strict";
import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { AccessLog, type AccessLogSettings } from "../../../src/observe/access_log.ts";
import { openLog } from "../../../src/observe/open_log.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { eventually } from "../../world/eventually.ts";
import { temporaryFolder } from "../../world/world.ts";
import { exchange } from "./exchange.ts";
import { linesOf } from "./log_files.ts";

const SETTINGS: Omit<AccessLogSettings, "folder"> = { format: "json", maxSize: 1024 * 1024, maxFiles: 100 };

test("access log: every request is there once, in the order in which they ended, over many files", async (t) => {
  const folder = temporaryFolder(t);
  const access = new AccessLog({ ...SETTINGS, folder, maxSize: 256 * 1024 }, silentLog());
  for (let n = 0; n < 20_000; n++) access.exchangeDone(exchange({ request: String(n) }));
  await access.close();
  assert.ok(readdirSync(folder).includes("access.2.log"));
  assert.deepEqual(
    linesOf(join(folder, "access.log")).map((line) => Number((JSON.parse(line) as { request: string }).request)),
    Array.from({ length: 20_000 }, (_, n) => n),
  );
});

test("access log: the combined form has HTTP only, JSON has connections to reverse ports as well", async (t) => {
  for (const format of ["combined", "json"] as const) {
    const folder = temporaryFolder(t);
    const access = new AccessLog({ ...SETTINGS, format, folder }, silentLog());
    for (const kind of ["http", "tcp", "upgrade"] as const) access.exchangeDone(exchange({ kind }));
    await access.close();
    assert.equal(linesOf(join(folder, "access.log")).length, format === "json" ? 3 : 2);
    if (process.platform !== "win32") assert.equal(statSync(join(folder, "access.log")).mode & 0o777, 0o600);
  }
});

test("access log: without a folder it is refused, with what to set", () => {
  assert.throws(() => new AccessLog({ ...SETTINGS, folder: "" }, silentLog()), {
    name: "PetitError",
    code: "access-log-nowhere",
  });
});

test("access log: what cannot be written is counted, and the log tells", async (t) => {
  const folder = join(temporaryFolder(t), "logs");
  const { log, tail } = openLog({ level: "info", name: "server", folder: "", maxSize: 1, maxFiles: 1, stderr: false });
  const access = new AccessLog({ ...SETTINGS, folder }, log);
  t.after(() => access.close());
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "in the way");
  access.exchangeDone(exchange());
  await eventually("the trouble is told", () => tail.last().some((line) => line.includes('"code":"log-unwritable"')));
  for (let n = 1; n < 5000; n++) access.exchangeDone(exchange({ request: String(n) }));
  rmSync(folder);
  await eventually("the loss is told", () => tail.last().some((line) => line.includes('"code":"log-lost"')));
  await access.close();
  const { lost } = JSON.parse(tail.last().at(-1) as string) as { lost: number };
  assert.equal(lost, 5000 - linesOf(join(folder, "access.log")).length);
  assert.ok(lost > 0);
});
