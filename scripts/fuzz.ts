// Hostile input in its long form: "npm run fuzz -- --help". "npm test" has the short one.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { readLines, runGroup } from "./long_form.ts";
import { installed, root } from "./project.ts";

const USAGE = `npm run fuzz -- [--only TARGET,…] [--times N | --cases N | --minutes N] [--seed N]

Feeds parsers and daemons with inputs that are mutated from those in tests/fuzz/corpus, or made by the rules of their format:
one target after the other, each in a process of its own. An input that fails is made as small as it can be, and kept in the
corpus, so that "npm test" tries it from then on. Prints a table at the end.

  --only       tests/fuzz/TARGET.test.ts; several with commas
  --times N    so many times the inputs that "npm test" tries (default 125: over 10 million, in an hour or two)
  --cases N    so many inputs for each target
  --minutes N  so many minutes for all targets together
  --seed N     what the inputs are drawn from (default: another one each time); a seed that a run has printed makes the same`;

/** Milliseconds in which some hundred inputs are done, whatever the target: one that takes longer stands still. */
const PATIENCE = 5 * 60_000;

let options;
try {
  options = parseArgs({
    options: {
      only: { type: "string", default: "" },
      times: { type: "string" },
      cases: { type: "string" },
      minutes: { type: "string" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 30)) },
      help: { type: "boolean", short: "h", default: false },
    },
  }).values;
} catch (error) {
  wrongUsage((error as Error).message);
}
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}
const { cases, minutes, times } = options;
for (const [name, value] of Object.entries({ times, cases, minutes, seed: options.seed })) {
  if (value !== undefined && !/^\d+(\.\d+)?$/.test(value)) wrongUsage(`"${value}" is not a number for --${name}`);
}
if ([cases, minutes, times].filter((one) => one !== undefined).length > 1) {
  wrongUsage("--times, --cases and --minutes exclude each other");
}
const { seed } = options;
const targets = readdirSync(join(root, "tests", "fuzz"))
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => file.slice(0, -".test.ts".length))
  .filter((target) => options.only === "" || options.only.split(",").includes(target))
  .sort();
if (targets.length === 0) wrongUsage(`No file of tests/fuzz is called "${options.only}"`);

const folder = mkdtempSync(join(tmpdir(), "petit-fuzz-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const figures = join(folder, "figures");
const progress = join(folder, "progress");

const build = await run([...installed("bun"), join(root, "scripts", "build.ts")], {});
if (build !== 0) process.exit(1);
const failed: string[] = [];
for (const target of targets) {
  const env: Record<string, string> = { PETIT_FUZZ: "long", PETIT_FUZZ_SEED: seed, PETIT_FUZZ_FIGURES: figures };
  env["PETIT_FUZZ_PROGRESS"] = progress;
  if (minutes !== undefined) env["PETIT_FUZZ_TIME"] = String(Number(minutes) * 60_000 / targets.length);
  else if (cases !== undefined) env["PETIT_FUZZ_CASES"] = cases;
  else env["PETIT_FUZZ_TIMES"] = times ?? "125";
  const command = [...installed("bun"), "test", "--timeout", "86400000", `./tests/fuzz/${target}.test.ts`];
  if (await run(command, env) !== 0) failed.push(target);
}
console.log(`\n${table()}`);
if (failed.length > 0) console.log(`Failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;

function wrongUsage(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

/** What all targets came to, a line each. */
function table(): string {
  const rows = [["target", "cases", "cases/s", "slowest ms", "MiB before", "MiB after"]];
  let total = 0;
  for (const line of readLines(figures)) {
    const { target, cases, seconds, slowest, memory: [before, after] } = JSON.parse(line);
    total += cases;
    const numbers = [cases, Math.round(cases / seconds), slowest.toFixed(1), before.toFixed(0), after.toFixed(0)];
    rows.push([target, ...numbers.map(String)]);
  }
  const widths = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length))
  );
  const lines = rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number))
      .join("  ")
  );
  return `${lines.join("\n")}\n${total} cases altogether, from seed ${seed}`;
}

/** Runs a program; one that stands still is killed with all that it started. */
function run(command: string[], env: Record<string, string>): Promise<number | null> {
  writeFileSync(progress, "");
  return runGroup(command, env, (end) => {
    const timer = setInterval(() => {
      if (Date.now() - statSync(progress).mtimeMs < PATIENCE) return;
      console.error(`It stands still, and is ended. Once more: npm run fuzz -- ${readFileSync(progress, "utf8")}`);
      end();
    }, 10_000);
    return () => clearInterval(timer);
  });
}
