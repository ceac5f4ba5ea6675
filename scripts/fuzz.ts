// Hostile input in its long form: "npm run fuzz -- --help". "npm test" has the short one.
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { installed, root } from "./project.ts";

const USAGE = `npm run fuzz -- [--only TARGET,…] [--cases N | --minutes N] [--seed N]

Feeds parsers and daemons with inputs that are mutated from those in tests/fuzz/corpus, or made by the rules of their format:
one target after the other, each in a process of its own. An input that fails is made as small as it can be, and kept in the
corpus, so that "npm test" tries it from then on. Prints a table at the end.

  --only       tests/fuzz/TARGET.test.ts; several with commas
  --cases N    inputs for each target (default 200000; what runs daemons takes a twentieth of it)
  --minutes N  minutes for all targets together, in place of a number of inputs
  --seed N     what the inputs are drawn from (default: another one each time); a seed that a run has printed makes the same`;

/** Targets that cost a connection to a daemon for each input. */
const CONNECTIONS = ["ssh_", "proxy_", "tls_", "command_", "rest_", "client_"];

/** Milliseconds without any end in sight beyond what a target was to take. */
const PATIENCE = 10 * 60_000;

/** Milliseconds for one input at most, on average. */
const SLOW = 40;

let options;
try {
  options = parseArgs({
    options: {
      only: { type: "string", default: "" },
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
for (const [name, value] of Object.entries({ cases: options.cases, minutes: options.minutes, seed: options.seed })) {
  if (value !== undefined && !/^\d+(\.\d+)?$/.test(value)) wrongUsage(`"${value}" is not a number for --${name}`);
}
if (options.cases !== undefined && options.minutes !== undefined) {
  wrongUsage("--cases and --minutes exclude each other");
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

const build = await run([...installed("bun"), join(root, "scripts", "build.ts")], {}, PATIENCE);
if (build !== 0) process.exit(1);
const failed: string[] = [];
const time = options.minutes === undefined ? undefined : Number(options.minutes) * 60_000 / targets.length;
for (const target of targets) {
  const asked = Number(options.cases ?? 200_000);
  const costly = options.cases === undefined && CONNECTIONS.some((start) => target.startsWith(start));
  const cases = costly ? asked / 20 : asked;
  const env = {
    PETIT_FUZZ: "long",
    PETIT_FUZZ_SEED: seed,
    PETIT_FUZZ_FIGURES: figures,
    ...(time === undefined ? { PETIT_FUZZ_CASES: String(cases) } : { PETIT_FUZZ_TIME: String(time) }),
  };
  const command = [...installed("bun"), "test", "--timeout", "86400000", `./tests/fuzz/${target}.test.ts`];
  const code = await run(command, env, (time ?? cases * SLOW) + PATIENCE);
  if (code !== 0) failed.push(target);
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

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n");
  } catch {
    return [];
  }
}

/** Runs a program with its output where this one's goes; one that takes longer hangs, and is killed with all that it started. */
function run([program = "", ...args]: string[], env: Record<string, string>, longest: number): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
      detached: true,
    });
    const end = () => process.kill(-(child.pid as number), "SIGKILL");
    const timer = setTimeout(() => {
      console.error(`Not over within ${Math.round(longest / 60_000)} minutes: ended`);
      end();
    }, Math.min(longest, 2 ** 31 - 1));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, end);
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(timer);
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.off(signal, end);
      resolve(code);
    });
  });
}
