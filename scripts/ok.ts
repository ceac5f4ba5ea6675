// The one gate: format, lint, types, layers, pages, supply chain, tests. "--fix" mends the format first; "--no-tests" leaves the tests out.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { installed, root } from "./project.ts";

const fix = process.argv.includes("--fix");
const [bun = ""] = installed("bun");
const steps: [name: string, command: string[]][] = [
  ["format", [...installed("deno"), "fmt", ...(fix ? [] : ["--check"])]],
  ["lint", [...installed("deno"), "lint", "--quiet"]],
  ["types", installed("tsc")],
  ["layers", [bun, join(root, "scripts", "check_layers.ts")]],
  ["pages", [bun, join(root, "scripts", "check_docs.ts")]],
  ["supply", [bun, join(root, "scripts", "check_supply.ts")]],
  ["tests", [bun, join(root, "scripts", "test.ts")]],
];
for (const [name, [program = "", ...args]] of steps) {
  if (name === "tests" && process.argv.includes("--no-tests")) continue;
  console.log(`— ${name}`);
  const { status } = spawnSync(program, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) {
    console.error(`${name} failed`);
    process.exit(1);
  }
}
