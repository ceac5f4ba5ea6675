// Runs a daemon to its end, and asks this process to stop once more when the daemon has: the exit code has to be the daemon's.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runDaemon } from "../../../../src/cli/daemon/daemon.ts";

const [, , folder = ""] = process.argv;
const config = join(folder, "config.toml");
mkdirSync(folder, { recursive: true });
writeFileSync(config, '[server]\nlistenPort = 0\nlogFolder = ""\n');
process.exitCode = await runDaemon("server", { values: { config }, positionals: [] }, {
  overlaps: false,
  start: () => ({
    closed: Promise.resolve(),
    words: {},
    reload: () => ({ changed: [], restartNeeded: [] }),
    readiness: () => ({ ready: true, missing: [], endpoints: [] }),
    handOver() {},
  }),
});
const last = new Promise((resolve) => process.once("SIGUSR2", resolve));
for (const signal of ["SIGTERM", "SIGHUP", "SIGUSR2"] as const) process.kill(process.pid, signal);
await last;
