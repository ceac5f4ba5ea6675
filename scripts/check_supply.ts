// Holds what the project is made of to what is locked: exact versions, a hash for each package, no addresses; and the
// workflows to actions that cannot change, with no more permissions than they say.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "./project.ts";
import { lockProblems, workflowProblems } from "./supply_problems.ts";

const read = (...path: string[]) => readFileSync(join(root, ...path), "utf8");
const problems = lockProblems(JSON.parse(read("package.json")), JSON.parse(read("package-lock.json")));
const workflows = join(".github", "workflows");
if (existsSync(join(root, workflows))) {
  for (const name of readdirSync(join(root, workflows))) {
    if (/\.ya?ml$/.test(name)) problems.push(...workflowProblems(join(workflows, name), read(workflows, name)));
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
