// Runs the tests: all of them under Bun, which ships, and the unit tests and the main path under Deno as well, so that the
// code stays neutral. Further arguments choose test files by a part of their path. What failed is told again at the end.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { installed, root } from "./project.ts";
import { bunFailures, denoFailures, type Failure, failureReport, plainLines, withoutPassed } from "./test_report.ts";

/** Tests that also run under Deno. */
const NEUTRAL = ["unit/", "proxy/main_path"];

const wanted = process.argv.slice(2);
const files = readdirSync(join(root, "tests"), { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => file.endsWith(".test.ts"))
  .filter((file) => wanted.length === 0 || wanted.some((part) => `tests/${file}`.includes(part)))
  .sort();

/** Tests that pull, stop and kill real daemons: alone, since they measure how soon all is well again. */
const FAULTS = "faults/";

/** Tests with hostile input: alone, since they look at the time that each input takes, and at memory. */
const FUZZ = "fuzz/";

/** Milliseconds for each run of a runtime: a test that hangs is a failure, and not the end of everything. */
const TIMEOUT = 40 * 60_000;

/** How many of a run's last lines are told when it was ended. */
const LAST_WORDS = 15;

/** What a runtime's output says. */
interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly Failure[];
}

const totals = { passed: 0, failed: 0 };
const failures: Failure[] = [];

run("build", [...installed("bun"), join(root, "scripts", "build.ts")], () => ({ passed: 0, failed: 0, failures: [] }));
const isFault = (file: string) => file.startsWith(FAULTS);
const isFuzz = (file: string) => file.startsWith(FUZZ);
runBun("Bun", files.filter((file) => !isFault(file) && !isFuzz(file)));
runBun("Bun, fuzz", files.filter(isFuzz));
runBun("Bun, faults", files.filter(isFault));
const neutral = files.filter((file) => NEUTRAL.some((part) => file.includes(part)));
if (neutral.length > 0) {
  run("Deno", [
    ...installed("deno"),
    "test",
    "--no-check",
    "--allow-all",
    ...neutral.map((file) => join("tests", file)),
  ], (lines) => ({
    passed: last(lines, /\| (\d+) passed/),
    failed: last(lines, /\| \d+ passed .*?(\d+) failed|\| (\d+) failed/),
    failures: denoFailures(lines),
  }));
}
for (const line of failureReport(failures)) say(line);
say(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;

function runBun(name: string, files: string[]): void {
  if (files.length === 0) return;
  const paths = files.map((file) => `./tests/${file}`);
  run(name, [...installed("bun"), "test", "--timeout", "120000", ...paths], (lines) => ({
    passed: last(lines, /^\s*(\d+) pass$/),
    failed: last(lines, /^\s*(\d+) fail$/),
    failures: bunFailures(lines),
  }));
}

/** Everything goes out by the same way: what console.log writes may overtake it. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Runs a program, shows what it prints, and adds up what it counted. A run that fails has at least one failure. */
function run(name: string, command: string[], read: (lines: string[]) => Outcome): void {
  say(`— ${name}`);
  const [program = "", ...args] = command;
  // Deno colours when this is set, whatever it is set to.
  const { FORCE_COLOR: _, ...env } = process.env;
  const child = spawnSync(program, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 1024 ** 3,
    timeout: TIMEOUT,
    killSignal: "SIGKILL",
    env: { ...env, NO_COLOR: "1" },
  });
  const lines = plainLines(`${child.stdout ?? ""}${child.stderr ?? ""}`);
  // In CI nobody watches, and the log is kept: what passed is only counted.
  for (const line of process.env["CI"] ? withoutPassed(lines) : lines) say(line);
  // Deno was once seen to stand still in the middle of the unit tests, which take it half a minute. Which of them it was
  // is not known: this says so, and asks once more.
  if (child.signal === "SIGKILL" && name === "Deno") {
    say("Deno stood still and was ended; once more. It printed last:");
    for (const line of lastWords(lines)) say(line);
    return run("Deno, second try", command, read);
  }
  const outcome = read(lines);
  totals.passed += outcome.passed;
  totals.failed += outcome.failed;
  failures.push(...outcome.failures.map((failure) => ({ ...failure, name: `${name}: ${failure.name}` })));
  if (child.status === 0) return;
  if (child.signal !== null || outcome.failures.length === 0) {
    const end = child.error?.message ??
      (child.signal === null ? `exit code ${child.status}` : `ended by ${child.signal}`);
    failures.push({ name: `${name}: ${end}`, text: ["It printed last:", ...lastWords(lines)] });
  }
}

/** The last of them is the test that was under way, where Deno was ended. */
function lastWords(lines: string[]): string[] {
  return lines.filter((line) => line !== "").slice(-LAST_WORDS);
}

function last(lines: string[], pattern: RegExp): number {
  const match = lines.map((line) => pattern.exec(line)).findLast((found) => found !== null);
  return Number(match?.[1] ?? match?.[2] ?? 0);
}
