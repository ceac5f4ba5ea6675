import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { RotatingFile } from "../../../src/observe/rotating_file.ts";
import { runtimeName } from "../../../src/platform/runtime.ts";
import { type Scope, temporaryFolder } from "../../world/world.ts";
import { linesOf, told } from "./log_files.ts";

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), "write_for_ever.ts");

function startWriter(scope: Scope, ...args: string[]): ChildProcess {
  const run = runtimeName().startsWith("deno") ? ["run", "--quiet", "--no-check", "--allow-all", SCRIPT] : [SCRIPT];
  const child = spawn(process.execPath, [...run, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  scope.after(() => child.kill("SIGKILL"));
  return child;
}

test("rotating file: a process that is killed leaves whole lines in order, but perhaps for the last", {
  timeout: 60_000,
}, async (t) => {
  for (let kill = 0; kill < 5; kill++) {
    const name = join(temporaryFolder(t), "server.log");
    const child = startWriter(t, name);
    const exited = once(child, "exit");
    await once(child.stdout as NodeJS.ReadableStream, "data");
    // At any moment, in the middle of putting a file away as well.
    await sleep(Math.random() * 50);
    child.kill("SIGKILL");
    await exited;
    const lines = linesOf(name);
    assert.ok(lines.length > 0);
    lines.forEach((line, n) => assert.equal((JSON.parse(line) as { n: number }).n, n));
    // The next process goes on with a line of its own.
    const next = new RotatingFile(told({ file: name }).options);
    next.write("next\n");
    await next.close();
    assert.match(readFileSync(name, "utf8"), /(?:^|\n)next\n$/);
  }
});

test("rotating file: a process that ends by process.exit() loses nothing", { timeout: 60_000 }, async (t) => {
  const name = join(temporaryFolder(t), "server.log");
  const child = startWriter(t, name, "exit");
  const [[count], [code]] = await Promise.all([
    once(child.stdout as NodeJS.ReadableStream, "data"),
    once(child, "exit"),
  ]);
  assert.equal(code, 0);
  const numbers = linesOf(name).map((line) => (JSON.parse(line) as { n: number }).n);
  assert.deepEqual(numbers, Array.from({ length: Number(String(count)) }, (_, n) => n));
});
