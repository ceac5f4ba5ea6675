import assert from "node:assert/strict";
import { copyFileSync, existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { Caller } from "../faults/world/caller.ts";
import { startServiceProcess } from "../faults/world/fault_world.ts";
import { onlyOneIsLeft } from "../faults/world/restart_world.ts";
import { SteadyLoad } from "../faults/world/steady_load.ts";
import { type Detached, detachedClient, detachedServer } from "../world/detached.ts";
import type { ClientProcess, ServerProcess } from "../world/executable.ts";
import { temporaryFolder } from "../world/temporary_folder.ts";

/** The executable of the release before this one (scripts/previous_release.ts); undefined where there is none. */
export const previousExecutable = ((path) => path !== undefined && existsSync(path) ? path : undefined)(
  process.env["PETIT_PREVIOUS"],
);

/** Requests a second while something is restarted. */
const PER_SECOND = 100;

/** Server and client in the background, each of a version of its own, in front of a service. */
export interface VersionWorld {
  readonly server: Detached & { readonly server: ServerProcess };
  readonly client: Detached & { readonly client: ClientProcess };
  readonly id: string;
  readonly caller: Caller;
  /** Restarts a daemon, as its program is by then, while requests come in; none of them fails. */
  restart(daemon: Detached): Promise<void>;
}

export async function makeVersionWorld(
  t: TestContext,
  programs: { readonly server: string; readonly client: string },
): Promise<VersionWorld> {
  const { port } = await startServiceProcess(t);
  const server = await detachedServer(t, {}, programs.server);
  await server.start();
  const client = await detachedClient(t, server.server, port, programs.client);
  await client.start();
  const { id, port: rawPort } = client.client;
  const reach = { proxyPort: server.server.proxyPort, rawPort, host: `${id}.example.com` };
  const restart = async (daemon: Detached) => {
    const load = new SteadyLoad(reach, PER_SECOND);
    try {
      await succeed(daemon, "restart");
      await onlyOneIsLeft(daemon);
    } finally {
      const { counts, reasons } = await load.stop();
      assert.equal(counts.correct, load.sent, JSON.stringify(reasons));
      assert.ok(load.sent > 0);
    }
  };
  return { server, client, id, caller: new Caller(reach), restart };
}

/** A command that has to succeed; what it printed. */
export async function succeed(daemon: Detached, command: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.run(command, ...more);
  assert.equal(code, 0, `petit ${daemon.role} ${command}: ${stdout}${stderr}`);
  return stdout;
}

/** A petit that is installed, and can be replaced while it runs. */
export class Installed {
  readonly path: string;

  constructor(t: TestContext, executable: string) {
    this.path = join(temporaryFolder(t), "petit");
    copyFileSync(executable, this.path);
  }

  /** Puts another version in its place, as a package manager does. */
  replace(executable: string): void {
    copyFileSync(executable, `${this.path}.new`);
    renameSync(`${this.path}.new`, this.path);
  }
}
