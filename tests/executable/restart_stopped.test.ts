import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isLocked } from "../../src/platform/folder_lock.ts";
import { detachedServer, isAlive } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { petit } from "../world/executable.ts";

test("a server that is asked to stop while it is being restarted stops, and so does the new process", async (t) => {
  for (const delay of [0, 100, 250, 400]) {
    const daemon = await detachedServer(t, { "server.drainFor": "1s" });
    const { pid } = await daemon.start();
    const restart = daemon.run("restart", "--wait", "2s");
    await sleep(delay);
    process.kill(pid, "SIGTERM");
    await restart;
    // A restart that found nothing to hand over to has started a server of its own, as it does where none runs.
    await daemon.run("stop");
    await eventually("nothing runs", () => !isLocked(daemon.folder, "server") && !isAlive(pid));
    await sleep(300);
    assert.equal(isLocked(daemon.folder, "server"), false, `${delay} ms`);
  }
});

test("a new process that hears nothing from the one before ends, and says why", async () => {
  const { code, stderr } = await petit(["server", "run"], { env: { PETIT_SUCCESSOR: "1" } });
  assert.equal(code, 1);
  assert.equal(stderr, "petit: The process before did not hand over\n");
});
