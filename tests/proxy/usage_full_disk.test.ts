import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { answerStats } from "../../src/usage/usage_answers.ts";
import type { UsageRecord } from "../../src/usage/usage_record.ts";
import { exchange, head } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { SmallDisk } from "../world/small_disk.ts";
import { makeWorld } from "../world/world.ts";

const skip = process.platform === "linux" ? false : "a small disk is made with tmpfs, which is Linux's";

test(
  "usage: on a full disk callers are served, figures wait for room, and what is lost is counted",
  { skip },
  async (t) => {
    const disk = SmallDisk.mount(t);
    if (disk === undefined) return t.skip("only root may mount a small disk");
    const service = new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0"));
    const world = await makeWorld(t, service.accept, {
      server: `usageUrl = "sqlite:${join(disk.folder, "usage.db")}"`,
    });
    const record = world.server.running.usage as UsageRecord;
    const call = async () => {
      const answer = await exchange(world.proxyPort, head("GET / HTTP/1.0", `Host: ${world.id}`));
      assert.match(answer, /^HTTP\/1\.1 200 /);
    };
    await record.flush();
    disk.fill();
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

    disk.empty();
    await record.flush();
    assert.equal(record.fault, null);
    const stats = await answerStats(record, world.id, { start: 0, end: Date.now() + 3_600_000 });
    assert.equal(stats.requests, service.heads.length, "nothing is lost");

    disk.fill();
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
