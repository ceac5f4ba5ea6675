// Runs a TypeScript file with the project's own Bun, after installing what package-lock.json names.
// The only script that needs nothing but Node and npm.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bun = join(root, "node_modules", "bun", "bin", "bun.exe");
const stamp = join(root, "node_modules", ".installed-lock");
const lock = readFileSync(join(root, "package-lock.json"), "utf8");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  console.error("Installing the project's packages (once, about half a minute) …");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const install = spawnSync(npm, ["ci", "--no-fund", "--no-audit", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (install.status !== 0) {
    console.error("npm ci failed; its message is above");
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}

// Variables that would change how Bun behaves must not leak in from the caller's shell.
const env = { ...process.env };
delete env.BUN_OPTIONS;
delete env.BUN_BE_BUN;
const child = spawn(bun, process.argv.slice(2), { stdio: "inherit", env });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : code ?? 1));
child.on("error", (error) => {
  console.error(`Cannot run ${bun}: ${error.message}`);
  process.exit(1);
});
