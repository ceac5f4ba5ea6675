// Asks npm's registry whether it knows of holes in what is locked. What is in the executable has to be without any; in what is needed for
// development alone only the grave ones count. Where the registry cannot be asked, that is said, and no fault.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { judge } from "./audit_verdict.ts";
import { root } from "./project.ts";

let bad = false;
for (const what of ["executable", "development"] as const) {
  // Below "npm run --silent" npm would not say why it has no answer.
  const args = ["audit", "--json", "--loglevel=warn", ...(what === "executable" ? ["--omit=dev"] : [])];
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const shell = process.platform === "win32";
  const { stdout, stderr } = spawnSync(npm, args, { cwd: root, encoding: "utf8", timeout: 120_000, shell });
  const { fails, text } = judge(what, stdout ?? "", stderr ?? "");
  console.log(text);
  bad ||= fails;
}
process.exit(bad ? 1 : 0);
