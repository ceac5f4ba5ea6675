import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { RotatingFile } from "../../../src/observe/rotating_file.ts";
import { eventually } from "../../world/eventually.ts";
import { temporaryFolder } from "../../world/world.ts";
import { linesOf, told } from "./log_files.ts";

const WINDOWS = process.platform === "win32" && "Windows has no file modes, and keeps what is open";

/** Writes `count` lines at `rate` a second, numbered from 0. */
async function writeAtRate(file: RotatingFile, count: number, rate: number): Promise<void> {
  const filling = "x".repeat(100);
  const begun = performance.now();
  let written = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(count, Math.ceil((performance.now() - begun) * rate / 1000));
      while (written < due) file.write(`{"n":${written++},"msg":"${filling}"}\n`);
      if (written < count) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
}

test("rotating file: at 20,000 lines a second every line is there once and in order", async (t) => {
  const name = join(temporaryFolder(t), "server.log");
  const { options, told: { trouble, recovered } } = told({ file: name, maxSize: 256 * 1024 });
  const file = new RotatingFile(options);
  await writeAtRate(file, 60_000, 20_000);
  await file.close();
  assert.deepEqual(
    linesOf(name).map((line) => (JSON.parse(line) as { n: number }).n),
    Array.from({ length: 60_000 }, (_, n) => n),
  );
  assert.ok(readdirSync(join(name, "..")).length > 20, "it was put away many times");
  assert.deepEqual({ trouble, recovered }, { trouble: [], recovered: [] });
});

test("rotating file: a burst within one turn is written whole", async (t) => {
  const name = join(temporaryFolder(t), "server.log");
  const file = new RotatingFile(told({ file: name, maxSize: 64 * 1024 }).options);
  for (let n = 0; n < 20_000; n++) file.write(`${n}\n`);
  await file.close();
  assert.deepEqual(linesOf(name), Array.from({ length: 20_000 }, (_, n) => String(n)));
});

test("rotating file: no file is larger than asked for, no line is divided, and only so many files are kept", async (t) => {
  const folder = temporaryFolder(t);
  const name = join(folder, "server.log");
  const file = new RotatingFile(told({ file: name, maxSize: 100, maxFiles: 3 }).options);
  for (let n = 0; n < 1000; n++) file.write(`${n} ${"ü".repeat(n % 20)}\n`);
  await file.close();
  assert.deepEqual(readdirSync(folder).sort(), ["server.1.log", "server.2.log", "server.3.log", "server.log"]);
  for (const part of readdirSync(folder)) {
    const text = readFileSync(join(folder, part), "utf8");
    assert.ok(Buffer.byteLength(text) <= 100, `${part} has ${Buffer.byteLength(text)} bytes`);
    assert.ok(text.endsWith("\n"));
  }
  const numbers = linesOf(name).map((line) => Number(line.split(" ")[0]));
  assert.deepEqual(numbers, Array.from(numbers, (_, index) => 1000 - numbers.length + index));
});

test("rotating file: a line longer than a file stands alone", async (t) => {
  const name = join(temporaryFolder(t), "server.log");
  const file = new RotatingFile(told({ file: name, maxSize: 10 }).options);
  for (const line of ["short", "x".repeat(50), "after"]) file.write(`${line}\n`);
  await file.close();
  assert.deepEqual(linesOf(name), ["short", "x".repeat(50), "after"]);
  assert.equal(readFileSync(name, "utf8"), "after\n");
});

test("rotating file: it goes on after what is there, and ends a line that a crash cut off", async (t) => {
  const folder = temporaryFolder(t);
  const name = join(folder, "server.log");
  writeFileSync(name, 'whole\n{"cut');
  const file = new RotatingFile(told({ file: name }).options);
  file.write("new\n");
  await file.close();
  assert.equal(readFileSync(name, "utf8"), 'whole\n{"cut\nnew\n');
});

test("rotating file: file and folder are made for their owner only", { skip: WINDOWS }, async (t) => {
  const name = join(temporaryFolder(t), "logs", "server.log");
  const file = new RotatingFile(told({ file: name, maxSize: 1 }).options);
  file.write("a\n");
  file.write("b\n");
  await file.close();
  for (const part of ["server.log", "server.1.log"]) {
    assert.equal(statSync(join(name, "..", part)).mode & 0o777, 0o600, part);
  }
  assert.equal(statSync(join(name, "..")).mode & 0o777, 0o700);
});

test("rotating file: a file or a folder that somebody takes away is made again", { skip: WINDOWS }, async (t) => {
  const folder = join(temporaryFolder(t), "logs");
  const name = join(folder, "server.log");
  const { options, told: { trouble } } = told({ file: name });
  const file = new RotatingFile(options);
  const write = async (line: string) => {
    file.write(`${line}\n`);
    await eventually(`"${line}" is in the file`, () => existsSync(name) && linesOf(name).includes(line));
  };
  await write("first");
  renameSync(name, join(folder, "moved.log"));
  await write("second");
  rmSync(folder, { recursive: true });
  await write("third");
  await file.close();
  assert.equal(readFileSync(name, "utf8"), "third\n");
  assert.deepEqual(trouble, []);
});

test("rotating file: while it cannot be written it keeps what fits, tells once, and counts what is lost", async (t) => {
  const folder = join(temporaryFolder(t), "logs");
  const name = join(folder, "server.log");
  const { options, told: { trouble, recovered } } = told({ file: name, maxSize: 100 * 1024 * 1024 });
  const file = new RotatingFile(options);
  t.after(() => file.close());
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "in the way");
  file.write("first\n");
  await eventually("it has told of the trouble", () => trouble.length > 0);
  const long = "x".repeat(1023);
  for (let n = 0; n < 2000; n++) file.write(`${long}\n`);
  rmSync(folder);
  mkdirSync(folder);
  await eventually("it has recovered", () => recovered.length > 0);
  file.write("last\n");
  await file.close();
  const lines = linesOf(name);
  assert.deepEqual([lines[0], lines.at(-1)], ["first", "last"]);
  assert.equal(trouble.length, 1);
  assert.ok((recovered[0] as number) > 0);
  assert.equal(recovered[0], 2000 - (lines.length - 2), "what is missing is what was counted");
});

test("rotating file: one that cannot be put away goes on growing", async (t) => {
  const folder = temporaryFolder(t);
  const name = join(folder, "server.log");
  mkdirSync(join(folder, "server.1.log", "full"), { recursive: true });
  const { options, told: { trouble } } = told({ file: name, maxSize: 10, maxFiles: 1 });
  const file = new RotatingFile(options);
  const lines = Array.from({ length: 10 }, (_, n) => `line ${n}`);
  for (const line of lines) file.write(`${line}\n`);
  await file.close();
  assert.deepEqual(readFileSync(name, "utf8").trim().split("\n"), lines);
  assert.deepEqual(trouble.map(([kind]) => kind), ["rotate"]);
});

test("rotating file: one that cannot be opened is told with what to do", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "logs"), "a file where the folder should be");
  const name = join(folder, "logs", "server.log");
  assert.throws(
    () => new RotatingFile(told({ file: name }).options),
    (error: Error & { code: string; hint: string }) => {
      assert.equal(error.name, "PetitError");
      assert.equal(error.code, "log-unwritable");
      assert.ok(error.message.startsWith(`Cannot write the log file "${name}": `), error.message);
      assert.match(error.hint, /belongs to this user/);
      return true;
    },
  );
});
