// The fault tests in their long form: "npm run faults -- --help". "npm test" has the short one.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { faultTable } from "./fault_table.ts";
import { readLines, runGroup } from "./long_form.ts";
import { installed, root } from "./project.ts";

const USAGE = `npm run faults -- [--short] [--only PART,…] [--minutes N] [--seed N]

Real daemons as processes, with a relay between them that delays, stalls, loses, slices and breaks off; the callers verify
every byte. Prints a table of all figures at the end.

  --short      the form that "npm test" runs, about 4 minutes; without it everything takes about 35 minutes
  --only       tests/faults/*PART*.test.ts; several with commas
  --minutes N  how long the mixed load with random faults lasts (default 24)
  --seed N     what its chance is drawn from: the seed that a run has printed makes the same choices again`;

/** Minutes that everything but the mixed load may take; a run that takes longer hangs, and is ended. */
const OTHERS = 25;

let options;
try {
  options = parseArgs({
    options: {
      short: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      minutes: { type: "string", default: "24" },
      seed: { type: "string" },
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
const minutes = Number(options.minutes);
if (!(minutes > 0)) wrongUsage(`"${options.minutes}" is not a number of minutes`);
if (options.seed !== undefined && !/^\d+$/.test(options.seed)) wrongUsage(`"${options.seed}" is not a seed`);
const parts = options.only.split(",").map((part) => part.trim());
const files = readdirSync(join(root, "tests", "faults"))
  .filter((file) => file.endsWith(".test.ts") && parts.some((part) => file.includes(part)))
  .sort();
if (files.length === 0) wrongUsage(`No file of tests/faults has "${options.only}" in its name`);

const folder = mkdtempSync(join(tmpdir(), "petit-faults-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const figures = join(folder, "figures");

const build = await run([...installed("bun"), join(root, "scripts", "build.ts")], {}, 10);
if (build !== 0) process.exit(1);
const bound = OTHERS + minutes;
const env = {
  PETIT_FAULTS: options.short ? "short" : "long",
  PETIT_FAULTS_FIGURES: figures,
  PETIT_FAULTS_MINUTES: String(minutes),
  ...(options.seed === undefined ? {} : { PETIT_FAULTS_SEED: options.seed }),
};
const command = [...installed("bun"), "test", "--timeout", String(bound * 60_000)];
const code = await run([...command, ...files.map((file) => `./tests/faults/${file}`)], env, bound);
console.log(`\n${faultTable(readLines(figures))}`);
process.exitCode = code === 0 ? 0 : 1;

function wrongUsage(message: string): never {
  console.error(`${message}\n\n${USAGE}`);
  process.exit(2);
}

/** Runs a program; what takes longer than so many minutes is killed, with all that it started. */
function run(command: string[], env: Record<string, string>, minutes: number): Promise<number | null> {
  return runGroup(command, env, (end) => {
    const timer = setTimeout(() => {
      console.error(`Not over within ${minutes} minutes: ended`);
      end();
    }, minutes * 60_000);
    return () => clearTimeout(timer);
  });
}
