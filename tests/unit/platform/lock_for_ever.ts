// Locks a folder for the server. With a number: as often as that, as fast as it can, and whenever it has the lock nobody else may have it;
// without: once, until it is killed.
import { existsSync, mkdirSync, rmdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { PetitError } from "../../../src/error.ts";
import { lockFolder } from "../../../src/platform/folder_lock.ts";

const [, , folder = "", times] = process.argv;
const sole = join(folder, "sole");
const preparing = join(folder, "preparing");
if (times === undefined) {
  lockFolder(folder, "server");
  writeSync(1, "locked\n");
  setInterval(() => {}, 1000);
} else {
  for (let had = 0; had < Number(times);) {
    try {
      const lock = lockFolder(folder, "server", () => {
        if (existsSync(sole)) throw new Error("Another process has the lock");
        mkdirSync(preparing);
        rmdirSync(preparing);
      });
      mkdirSync(sole);
      rmdirSync(sole);
      lock.release();
      had++;
    } catch (error) {
      if (!(error instanceof PetitError) || error.code !== "folder-locked") throw error;
    }
  }
  writeSync(1, "done\n");
}
