import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import process from "node:process";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type Executables, startExecutables } from "../world/executable.ts";
import { background, output } from "../world/processes.ts";
import { type Need, peerTest, program } from "./peer_test.ts";

const MEBIBYTE = 1024 ** 2;
const SIZE = 2048 * MEBIBYTE;
/** By how much the resident memory of a daemon may grow in a transfer, whatever its size. */
const MAX_GROWTH = 150 * MEBIBYTE;
/** Milliseconds. */
const SAMPLE_EVERY = 100;

const PROC: Need = { name: "/proc of Linux", met: () => process.platform === "linux" };
const NEEDS = ["curl", "bash", PROC];

/** The world, and `shell`, which runs a line with $DIRECT and $PROXIED for the service and for the way through petit. */
async function makeBulkWorld(t: TestContext) {
  const file = fileURLToPath(new URL("bulk_service.ts", import.meta.url));
  const service = background(t, process.execPath, [file]);
  const port = Number((await service.line((line) => line.startsWith("port "))).slice("port ".length));
  const world = await startExecutables(t, port);
  const curl = `${program("curl")} -sS --fail -H Host:${world.host}`;
  const env = {
    DIRECT: `${curl} http://127.0.0.1:${port}`,
    PROXIED: `${curl} http://127.0.0.1:${world.proxyPort}`,
  };
  return { world, shell: (line: string) => output(program("bash"), ["-o", "pipefail", "-c", line], { env }) };
}

/** Does `work`, and fails if it made the resident memory of either daemon grow beyond the bound. */
async function boundMemory(t: TestContext, { server, client }: Executables, work: () => Promise<void>): Promise<void> {
  const daemons = Object.entries({ server, client }).map(([name, { daemon: { pid } }]) => {
    const before = residentMemory(pid);
    return { name, pid, before, peak: before };
  });
  const sample = () => {
    for (const daemon of daemons) daemon.peak = Math.max(daemon.peak, residentMemory(daemon.pid));
  };
  const timer = setInterval(sample, SAMPLE_EVERY);
  try {
    await work();
    sample();
  } finally {
    clearInterval(timer);
  }
  const mebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(0);
  for (const { name, before, peak } of daemons) {
    t.diagnostic(`${name}: ${mebibytes(before)} MiB before, at most ${mebibytes(peak)} MiB`);
  }
  for (const { name, before, peak } of daemons) {
    assert.ok(peak - before <= MAX_GROWTH, `the ${name} grew by ${mebibytes(peak - before)} MiB`);
  }
}

/** VmRSS of a process, in bytes. */
function residentMemory(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

peerTest("a download of 2 GiB arrives as it was sent, and takes no memory of its size", NEEDS, async (t) => {
  const { world, shell } = await makeBulkWorld(t);
  await boundMemory(t, world, async () => {
    // What went through petit goes back to the service, which knows what it sent.
    assert.equal(await shell(`$PROXIED/${SIZE} | $DIRECT/up -T -`), `${SIZE} good\n`);
  });
});

peerTest("an upload of 2 GiB arrives as it was sent, and takes no memory of its size", NEEDS, async (t) => {
  const { world, shell } = await makeBulkWorld(t);
  await boundMemory(t, world, async () => {
    assert.equal(await shell(`$DIRECT/${SIZE} | $PROXIED/up -T -`), `${SIZE} good\n`);
  });
});
