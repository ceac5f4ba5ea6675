import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../../src/platform/runtime.ts";
import type { Scope } from "../../world/temporary_folder.ts";

/** Runs a script of this folder, which prints a line for each thing that it has done, kills it after some of them at any moment, and returns those lines. */
export async function writeAndKill(scope: Scope, script: string, ...args: string[]): Promise<string[]> {
  const path = join(dirname(fileURLToPath(import.meta.url)), script);
  const run = runtimeName().startsWith("deno") ? ["run", "--quiet", "--no-check", "--allow-all", path] : [path];
  const child = spawn(process.execPath, [...run, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  scope.after(() => child.kill("SIGKILL"));
  const exited = once(child, "exit");
  const acknowledged: string[] = [];
  const enough = 1 + Math.floor(Math.random() * 20);
  const lines = createInterface(child.stdout);
  const ended = once(lines, "close");
  const begun = new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      if (acknowledged.push(line) === enough) resolve();
    });
  });
  await Promise.race([begun, exited.then(([code]) => assert.fail(`It ended by itself with ${code}`))]);
  // Not at the moment of an acknowledgement, but anywhere between two.
  await sleep(Math.random() * 5);
  child.kill("SIGKILL");
  await exited;
  await ended;
  return acknowledged;
}
