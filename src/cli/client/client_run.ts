import { clientCommands } from "../../client/client_commands.ts";
import { clientReadiness } from "../../client/client_readiness.ts";
import { serveClientApi } from "../../client/rest/client_api.ts";
import { startClient } from "../../client/start_client.ts";
import type { Invocation } from "../commands/command.ts";
import { runDaemon } from "../daemon/daemon.ts";

export function clientRun(invocation: Invocation): Promise<number> {
  return runDaemon("client", invocation, ({ config, folder, log, signal }) => {
    const { control, closed, metrics } = startClient(config.client, folder, log, signal);
    return {
      closed,
      words: clientCommands(control),
      reload: (read) => control.reload(read.client),
      serveApi: (facilities) => serveClientApi({ ...facilities, control, metrics }),
      readiness: () => clientReadiness(control),
    };
  });
}
