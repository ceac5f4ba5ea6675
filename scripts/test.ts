// Runs the tests: all of them under Bun, which ships, and the unit tests and the main path under Deno as well, so that the
// code stays neutral. Further arguments choose test files by a part of their path.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { installed, root } from "./project.ts";

/** Tests that also run under Deno. */
const NEUTRAL = ["unit/", "proxy/main_path"];

const wanted = process.argv.slice(2);
const files = readdirSync(join(root, "tests"), { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".test.ts"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => `tests/${file}`.includes(part)))
  .sort();

/** Milliseconds for each run of a runtime: a test that hangs is a failure, and not the end of everything. */
const TIMEOUT = 15 * 60_000;

const totals = { passed: 0, failed: 0 };
let broken = false;

run("build", [...installed("bun"), join(root, "scripts", "build.ts")], () => ({ passed: 0, failed: 0 }));
run(
  "Bun",
  [...installed("bun"), "test", "--timeout", "120000", ...files.map((file) => `./tests/${file}`)],
  (output) => ({
    passed: last(output, /^\s*(\d+) pass$/gm),
    failed: last(output, /^\s*(\d+) fail$/gm),
  }),
);
const neutral = files.filter((file) => NEUTRAL.some((part) => file.includes(part)));
if (neutral.length > 0) {
  run("Deno", [
    ...installed("deno"),
    "test",
    "--no-check",
    "--allow-all",
    ...neutral.map((file) => join("tests", file)),
  ], (output) => ({
    passed: last(output, /\| (\d+) passed/g),
    failed: last(output, /\| \d+ passed .*?(\d+) failed|\| (\d+) failed/g),
  }));
}
say(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || broken ? 1 : 0;

/** Everything goes out by the same way: what console.log writes may overtake it. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs a program, shows what it prints, and adds up what it counted. */
function run(name: string, command: string[], count: (output: string) => { passed: number; failed: number }): void {
  say(`— ${name}`);
  const [program = "", ...args] = command;
  const child = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1024 ** 3,
    timeout: TIMEOUT,
    killSignal: "SIGKILL",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
  });
  const output = `${child.stdout ?? ""}${child.stderr ?? ""}`;
  process.stdout.write(output);
  // Deno was once seen to stand still in the middle of the unit tests, which take it half a minute. Which of them it was
  // is not known: this says so, and asks once more.
  if (child.signal === "SIGKILL" && name === "Deno") {
    say("Deno stood still and was ended; once more");
    return run("Deno, second try", command, count);
  }
  const counted = count(output);
  totals.passed += counted.passed;
  totals.failed += counted.failed;
  if (child.status !== 0) broken = true;
  if (child.error) say(`${name}: ${child.error.message}`);
}

function last(text: string, pattern: RegExp): number {
  const match = [...text.matchAll(pattern)].at(-1);
  return Number(match?.[1] ?? match?.[2] ?? 0);
}
