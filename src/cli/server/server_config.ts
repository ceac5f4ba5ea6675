import { effectiveSettings } from "../../config/effective.ts";
import { loadConfig } from "../../config/load.ts";
import { changeConfig } from "../../control/change_config.ts";
import type { Invocation } from "../commands/command.ts";
import { configCommand } from "../daemon/config_command.ts";
import { configFile } from "../values.ts";

/** `petit server config` */
export async function serverConfig(invocation: Invocation): Promise<number> {
  const { file, folder } = loadConfig(configFile(invocation));
  return await configCommand(invocation, {
    role: "server",
    folder,
    settings: () => effectiveSettings(loadConfig(file).config, "server"),
    change: (section, key, value) => changeConfig(file, "server", { [`${section}.${key}`]: value }),
  });
}
