import { clientCommands } from "../../client/client_commands.ts";
import { clientReadiness } from "../../client/client_readiness.ts";
import { serveClientApi } from "../../client/rest/client_api.ts";
import { checkClient, startClient } from "../../client/start_client.ts";
import type { Invocation } from "../commands/command.ts";
import { type DaemonSetting, runDaemon, type StartedDaemon } from "../daemon/daemon.ts";

export function clientRun(invocation: Invocation): Promise<number> {
  // Two connections of one client take the registrations away from each other.
  return runDaemon("client", invocation, { overlaps: false, check, start });
}

function check({ config, folder }: Pick<DaemonSetting, "config" | "folder">): void {
  checkClient(config.client, folder);
}

function start({ config, folder, log, signal }: DaemonSetting): StartedDaemon {
  const { control, closed, metrics, handOver, resume } = startClient(config.client, folder, log, signal);
  return {
    closed,
    handOver,
    resume,
    words: clientCommands(control),
    reload: (read) => control.reload(read.client),
    serveApi: (facilities) => serveClientApi({ ...facilities, control, metrics }),
    readiness: () => clientReadiness(control),
  };
}
