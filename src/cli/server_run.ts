import { loadConfig } from "../config/load.ts";
import { startServer } from "../server/start_server.ts";
import type { Invocation } from "./command.ts";
import { daemonSetting } from "./daemon.ts";
import { configFile } from "./values.ts";

export async function serverRun(invocation: Invocation): Promise<number> {
  const { config } = loadConfig(configFile(invocation));
  const { log, signal } = daemonSetting(invocation, config.server.logLevel);
  const server = await startServer(config.server, log, signal);
  await server.closed;
  log.info("The server has stopped");
  return 0;
}
