import { serveServerApi } from "../../server/rest/server_api.ts";
import { serverCommands } from "../../server/server_commands.ts";
import { startServer } from "../../server/start_server.ts";
import type { Invocation } from "../commands/command.ts";
import { type DaemonSetting, runDaemon, type StartedDaemon } from "../daemon/daemon.ts";

export function serverRun(invocation: Invocation): Promise<number> {
  return runDaemon("server", invocation, { overlaps: true, start });
}

async function start({ config, log, signal }: DaemonSetting): Promise<StartedDaemon> {
  const { control, closed, usage, audit, metrics, handOver, settled } = await startServer(config.server, log, signal);
  return {
    closed,
    beforeHandOver: settled,
    handOver,
    words: serverCommands(control),
    commandRefused: (code) =>
      audit?.recordOften("permission-refused", `command ${code}`, { code, where: "command port" }),
    reload: (read) => control.reload(read.server),
    serveApi: (facilities) => {
      // The daemon from here on: what the process before did to the host keys meanwhile is done.
      control.hostKeys.reread();
      return serveServerApi({ ...facilities, control, usage, audit, metrics });
    },
    // It has not started before everything listens.
    readiness: () => ({ ready: true, missing: [], endpoints: [config.server.vitae.endpoint] }),
  };
}
