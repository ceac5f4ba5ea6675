import { loadConfig } from "../config/load.ts";
import { startClient } from "../client/start_client.ts";
import type { Invocation } from "./command.ts";
import { daemonSetting } from "./daemon.ts";
import { configFile } from "./values.ts";

export async function clientRun(invocation: Invocation): Promise<number> {
  const { config, folder } = loadConfig(configFile(invocation));
  const { log, signal } = daemonSetting(invocation, config.client.logLevel);
  await startClient(config.client, folder, log, signal).closed;
  log.info("The client has stopped");
  return 0;
}
