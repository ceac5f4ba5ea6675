import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { runtimeName } from "../../../src/platform/runtime.ts";
import type { Scope } from "../../world/world.ts";
import { newRegistry, NOW, openFile } from "./fixture.ts";

const KILLS = 10;
const USES = 1_000_000;
const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), "register_for_ever.ts");

/** Registers in another process, kills it after some registrations at any moment, and returns those it acknowledged. */
async function registerAndKill(scope: Scope, file: string): Promise<string[]> {
  const run = runtimeName().startsWith("deno") ? ["run", "--quiet", "--no-check", "--allow-all", SCRIPT] : [SCRIPT];
  const child = spawn(process.execPath, [...run, file, "h"], { stdio: ["ignore", "pipe", "inherit"] });
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

const SLOW = { timeout: 120_000 };

test(
  "registry: a process that is killed loses nothing it acknowledged, and leaves nothing half done",
  SLOW,
  async (t) => {
    const { registry, file } = newRegistry(t);
    registry.addJoinCode({ hash: "h", brand: "", usesLeft: USES, expiresAt: NOW + 1 });
    registry.close();
    const acknowledged: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      acknowledged.push(...await registerAndKill(t, file));
      const after = openFile(t, file);
      const made = after.registrations();
      const lines = new Set(made.map(({ id, port, vitae }) => `${id} ${port} ${vitae?.hostname}`));
      assert.deepEqual(acknowledged.filter((line) => !lines.has(line)), [], "acknowledged, but lost");
      // A use of the code, an id and a port go with each registration, and with nothing else.
      assert.equal(after.joinCode("h")?.usesLeft, USES - made.length);
      assert.deepEqual(made.map(({ id }) => Number(id)), made.map((_, index) => 1001 + index));
      assert.equal(after.nextPort(), 11081 + made.length);
      after.close();
    }
    assert.ok(acknowledged.length >= KILLS);
  },
);
