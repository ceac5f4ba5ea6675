import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { answerStats } from "../../src/usage/usage_answers.ts";
import type { UsageRecord } from "../../src/usage/usage_record.ts";
import { exchange, head } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { makeWorld, type Scope, temporaryFolder } from "../world/world.ts";

/** A folder on a disk of its own, of 512 KiB; undefined where this user may mount none. */
function smallDisk(scope: Scope): string | undefined {
  let mounted: string | undefined;
  // Before its folder goes.
  scope.after(() => mounted === undefined ? undefined : execFileSync("umount", ["-l", mounted]));
  const folder = join(temporaryFolder(scope), "disk");
  mkdirSync(folder);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return mounted = folder;
}

const skip = process.platform === "linux" ? false : "a small disk is made with tmpfs, which is Linux's";

test(
  "usage: on a full disk callers are served, figures wait for room, and what is lost is counted",
  { skip },
  async (t) => {
    const disk = smallDisk(t);
    if (disk === undefined) return t.skip("only root may mount a small disk");
    const service = new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0"));
    const world = await makeWorld(t, service.accept, { server: `usageUrl = "sqlite:${join(disk, "usage.db")}"` });
    const record = world.server.running.usage as UsageRecord;
    const call = async () => {
      const answer = await exchange(world.proxyPort, head("GET / HTTP/1.0", `Host: ${world.id}`));
      assert.match(answer, /^HTTP\/1\.1 200 /);
    };
    const filler = join(disk, "filler");
    const fill = () => {
      rmSync(filler, { force: true });
      for (let size = 512 * 1024; size > 0; size -= 4096) {
        try {
          return writeFileSync(filler, Buffer.alloc(size));
        } catch {
          // Not as much room as that.
        }
      }
    };

    await record.flush();
    fill();
    // SQLite has some room in its own files; when that is used up it needs more.
    for (let time = 0; time < 200 && record.fault === null; time++) {
      await call();
      await record.flush();
    }
    assert.match(record.fault ?? "", /full|I\/O/);
    assert.equal(record.waiting, 1);
    await call();
    assert.match(await world.server.running.metrics.metrics(), /^petit_usage_waiting 1$/m);
    await world.server.logged(({ code }) => code === "usage-unusable");

    rmSync(filler);
    await record.flush();
    assert.equal(record.fault, null);
    const stats = await answerStats(record, world.id, { start: 0, end: Date.now() + 3_600_000 });
    assert.equal(stats.requests, service.heads.length, "nothing is lost");

    fill();
    while (record.fault === null) {
      await call();
      await record.flush();
    }
    await call();
    await world.server.stop();
    const line = await world.server.logged(({ code }) => code === "usage-dropped");
    assert.equal(line["dropped"], 2);
  },
);
