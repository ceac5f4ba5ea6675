import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { openLog } from "../../../src/observe/open_log.ts";
import { eventually } from "../../world/eventually.ts";
import { SmallDisk } from "../../world/small_disk.ts";
import { linesOf } from "./log_files.ts";

const SKIP = process.platform === "linux" ? false : "a small disk is made with tmpfs, which is Linux's";

test(
  "log: a full disk costs no half line and no daemon, and what is lost is counted in the log",
  { skip: SKIP },
  async (t) => {
    const disk = SmallDisk.mount(t);
    if (disk === undefined) return t.skip("only root may mount a small disk");
    const folder = join(disk.folder, "logs");
    const { log, tail, close } = openLog({
      level: "info",
      name: "server",
      folder,
      maxSize: 100 * 1024 * 1024,
      maxFiles: 3,
      stderr: false,
    });
    t.after(close);
    const filling = "x".repeat(1000);
    const COUNT = 3000;
    for (let n = 0; n < COUNT; n++) log.info({ n, filling }, "Fill");
    await eventually(
      "the warning is there",
      () => tail.last().some((line) => line.includes('"code":"log-unwritable"')),
    );
    for (let n = COUNT; n < COUNT * 2; n++) log.info({ n, filling }, "Fill");
    // Room again: somebody deletes what is in the file by then, and keeps it elsewhere.
    const file = join(folder, "server.log");
    const before = linesOf(file);
    assert.ok(readFileSync(file, "utf8").endsWith("\n"), "there is no half line");
    rmSync(file);
    execFileSync("mount", ["-o", "remount,size=64m", disk.folder]);
    await eventually("the loss is told", () => tail.last(20).some((line) => line.includes('"code":"log-lost"')));
    log.info("The end");
    await close();

    const lines = [...before, ...linesOf(file)].map((line) => JSON.parse(line) as Record<string, unknown>);
    const numbers = lines.flatMap(({ n }) => n === undefined ? [] : [n as number]);
    assert.equal(new Set(numbers).size, numbers.length, "no line is there twice");
    assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), "they are in order");
    assert.equal(lines.filter(({ code }) => code === "log-unwritable").length, 1);
    const lost = lines.find(({ code }) => code === "log-lost")?.["lost"];
    assert.equal(lost, COUNT * 2 - numbers.length);
    assert.equal(lines.at(-1)?.["msg"], "The end");
  },
);
