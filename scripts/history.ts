import { spawnSync } from "node:child_process";
import { BEFORE_THE_FIRST } from "./choose_release.ts";
import { root } from "./project.ts";

/** What git prints of a checkout, or undefined where it fails, or is not there. */
export function git(args: readonly string[], cwd: string = root): string | undefined {
  // In a container the checkout may belong to another user.
  const { status, stdout } = spawnSync("git", ["-c", `safe.directory=${cwd}`, ...args], { cwd, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Why a checkout cannot tell what was released before it, which is nobody's fault; undefined where it can.
 *
 * @param begin a commit that is in every history
 */
export function missingHistory(cwd: string = root, begin: string = BEFORE_THE_FIRST): string | undefined {
  if (git(["rev-parse", "HEAD"], cwd) === undefined) return "this is no checkout of git";
  if (git(["rev-parse", "--is-shallow-repository"], cwd) === "true") return "this clone is shallow, and has no history";
  if (git(["cat-file", "-e", `${begin}^{commit}`], cwd) === undefined) {
    return `this checkout has another history, without the commit ${begin.slice(0, 7)}`;
  }
  return undefined;
}
