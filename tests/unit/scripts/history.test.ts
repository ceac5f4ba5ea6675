import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { git, missingHistory } from "../../../scripts/history.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";

const isThere = git(["--version"]) !== undefined;

test("history: where there is no checkout of git, that is why nothing is known", (t) => {
  assert.equal(missingHistory(temporaryFolder(t)), "this is no checkout of git");
});

test("history: a clone knows what was before, and a shallow one says that it does not", { skip: !isThere }, (t) => {
  const folder = temporaryFolder(t);
  const run = (cwd: string, ...args: string[]) => {
    const identity = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "commit.gpgsign=false"];
    return execFileSync("git", [...identity, ...args], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  };
  run(folder, "init", "-q", "full");
  const full = join(folder, "full");
  for (const text of ["first", "second"]) {
    writeFileSync(join(full, "file"), text);
    run(full, "add", "file");
    run(full, "commit", "-q", "-m", text);
  }
  const begin = run(full, "rev-list", "--max-parents=0", "HEAD").trim();
  assert.equal(missingHistory(full, begin), undefined);
  assert.match(missingHistory(full, "1".repeat(40)) ?? "", /another history, without the commit 1111111$/);
  run(folder, "clone", "-q", "--depth", "1", pathToFileURL(full).href, "shallow");
  assert.match(missingHistory(join(folder, "shallow"), begin) ?? "", /shallow/);
});
