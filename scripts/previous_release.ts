// Builds the release before this one from its own sources, for the tests of versions side by side: its executable is left in the folder that
// the argument names, as "petit". Where there is no history to find it in, as in a shallow clone, that is said, and no fault.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import process from "node:process";
import { BEFORE_THE_FIRST, previousRelease } from "./choose_release.ts";
import { git, missingHistory } from "./history.ts";
import { executable, root } from "./project.ts";

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("Wanted: a folder for the executable");
  process.exit(2);
}
const found = findPrevious();
if (found === undefined) {
  const excuse = missingHistory();
  console.error(
    `NOT TESTED: releases side by side, since ${excuse ?? "no tag of a release is an ancestor of this commit"}`,
  );
  if (excuse === undefined) process.exitCode = 1;
} else {
  console.log(`Building ${found.name}`);
  build(found.commit, resolve(folder));
}

/** The commit to build; undefined where there is none. */
function findPrevious(): { name: string; commit: string } | undefined {
  const head = git(["rev-parse", "HEAD"]);
  if (head === undefined) return undefined;
  const format = "--format=%(refname:strip=2) %(objectname) %(*objectname)";
  const list = git(["tag", "--merged", "HEAD", "--list", "v*", format]);
  const tags = (list ?? "").split("\n").filter((line) => line !== "").map((line) => {
    // The third is the commit, where the tag is an object of its own.
    const [name = "", object = "", commit = ""] = line.split(" ");
    return { name, commit: commit === "" ? object : commit };
  });
  const release = previousRelease(tags, head);
  if (release !== undefined) return release;
  if (head !== BEFORE_THE_FIRST && git(["merge-base", "--is-ancestor", BEFORE_THE_FIRST, "HEAD"]) !== undefined) {
    return { name: `${BEFORE_THE_FIRST.slice(0, 7)}, since there is no release yet`, commit: BEFORE_THE_FIRST };
  }
  return undefined;
}

function build(commit: string, into: string): void {
  const sources = mkdtempSync(join(tmpdir(), "petit-previous-"));
  try {
    const archive = join(sources, "sources.tar");
    if (git(["archive", "--output", archive, commit]) === undefined) throw new Error(`git archive ${commit} failed`);
    run("tar", ["-xf", archive], sources);
    // It installs what its own lock file names.
    run("npm", ["run", "--silent", "build"], sources);
    const built = join(sources, relative(root, executable));
    if (!existsSync(built)) throw new Error(`${commit} left no ${basename(built)}`);
    mkdirSync(into, { recursive: true });
    copyFileSync(built, join(into, basename(built)));
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  } finally {
    rmSync(sources, { recursive: true, force: true });
  }
}

function run(program: string, args: string[], cwd: string): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: "inherit", timeout: 300_000 });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${error?.message ?? `exit code ${status}`}`);
}
