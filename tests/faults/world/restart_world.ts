import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { FIRST } from "../../world/certificates.ts";
import { type Detached, detachedClient, detachedServer } from "../../world/detached.ts";
import type { ServerProcess, Settings } from "../../world/executable.ts";
import { output } from "../../world/processes.ts";
import type { LogLine, Scope } from "../../world/world.ts";
import { Caller, PATIENCE, type Reach } from "./caller.ts";
import { within } from "./daemon_status.ts";
import { startServiceProcess } from "./fault_world.ts";

/** Milliseconds that a process which was relieved may go on: as long as its longest caller. */
const RELIEVED_WITHIN = 30_000;

/** Server and client in the background, as people have them, in front of a verifying service in a process of its own. */
export interface RestartWorld extends Reach {
  readonly server: Detached & { readonly server: ServerProcess };
  readonly client: Detached;
  readonly servicePort: number;
  readonly id: string;
  caller(patience?: number): Caller;
}

export interface RestartWorldOptions {
  /** Whether the callers of the proxy speak TLS. */
  readonly secure?: boolean;
  /** The server's executable, where it is another one than that which commands are given with. */
  readonly executable?: string;
}

export async function makeRestartWorld(
  scope: Scope,
  settings: Settings = {},
  { secure = false, executable }: RestartWorldOptions = {},
): Promise<RestartWorld> {
  const { port } = await startServiceProcess(scope);
  const server = await detachedServer(scope, settings);
  endsWith(scope, server);
  if (secure) {
    const folder = join(server.folder, "certificates");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "server.key"), FIRST.key, { mode: 0o600 });
    writeFileSync(join(folder, "server.crt"), FIRST.cert);
  }
  if (executable === undefined) await server.start();
  else await output(executable, ["server", "start", "-c", server.config], { env: { HOME: server.folder } });
  const client = await detachedClient(scope, server.server, port);
  endsWith(scope, client);
  await client.start();
  const { id, port: rawPort } = client.client;
  const { proxyPort, secureProxyPort } = server.server;
  const proxy = secure ? { proxyPort: secureProxyPort, ca: FIRST.cert } : { proxyPort };
  const reach = { ...proxy, rawPort, host: `${id}.example.com` };
  return {
    ...reach,
    server,
    client,
    servicePort: port,
    id,
    caller: (patience = PATIENCE) => new Caller(reach, patience),
  };
}

/** Processes that a daemon was restarted from go on for a while; none of them outlives the test. */
function endsWith(scope: Scope, daemon: Detached): void {
  scope.after(() => {
    for (const pid of processesOf(daemon)) process.kill(pid, "SIGKILL");
  });
}

/** The processes that run a daemon with its config file, those included that were relieved and have work left. */
export function processesOf({ config, role }: Detached): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words.includes(config) && words.includes("run") && words.includes(role);
    } catch {
      // It has ended in between.
      return false;
    }
  });
}

/** Waits until one process of a daemon is left, and asserts that none has logged a fault of petit's own. */
export async function onlyOneIsLeft(daemon: Detached): Promise<void> {
  await within(RELIEVED_WITHIN, () => processesOf(daemon).length === 1);
  assert.equal(processesOf(daemon).length, 1, `processes of the ${daemon.role}`);
  assert.deepEqual(logOf(daemon).filter(({ code }) => code === "internal"), []);
}

export function logOf({ folder, role }: Detached): LogLine[] {
  const text = readFileSync(join(folder, "logs", `${role}.log`), "utf8");
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as LogLine);
}
