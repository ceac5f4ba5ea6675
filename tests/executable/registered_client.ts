import type { CheckReport } from "../../src/client/check.ts";
import { ClientProcess, petit, ServerProcess } from "../world/executable.ts";
import type { Finished } from "../world/processes.ts";
import { type Scope, startService } from "../world/world.ts";

/** What `petit client check --json` found. */
export interface Checked {
  code: number | undefined;
  report: CheckReport;
  /** Names of the items in that state. */
  failed: string[];
  skipped: string[];
  ok: string[];
}

/** A client that is registered with a running server, and has no daemon. */
export async function registeredClient(scope: Scope): Promise<{
  server: ServerProcess;
  client: ClientProcess;
  /** `petit client …` */
  run(...args: string[]): Promise<Finished>;
  check(...args: string[]): Promise<Checked>;
}> {
  const service = await startService(scope, (socket) => socket.resume());
  const server = await (await ServerProcess.init(scope)).start();
  const client = await new ClientProcess(scope).register(await server.joinCode(), service.port);
  const run = (...args: string[]) => petit(["client", ...args, "-c", client.config]);
  const check = async (...args: string[]) => {
    const { code, stdout } = await run("check", "--json", ...args);
    const report = JSON.parse(stdout) as CheckReport;
    const states = (wanted: string) => report.items.filter(({ state }) => state === wanted).map(({ name }) => name);
    return { code, report, failed: states("failed"), skipped: states("skipped"), ok: states("ok") };
  };
  return { server, client, run, check };
}
