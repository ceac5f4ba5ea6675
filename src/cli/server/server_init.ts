import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { TomlDocument } from "../../config/toml.ts";
import { changeConfig } from "../../control/change_config.ts";
import { refuseLooseState } from "../../platform/strict_modes.ts";
import { openRegistry, registryFile } from "../../registry/open_registry.ts";
import { makeHostKey, readHostKey } from "../../server/host_key/host_key.ts";
import type { Invocation } from "../commands/command.ts";
import { initConfig } from "../init_config.ts";
import { configFile, textValue } from "../values.ts";

export function serverInit(invocation: Invocation): number {
  const host = textValue(invocation, "host");
  const path = configFile(invocation);
  const file = servedNobody(path) ? resolve(path) : initConfig(
    path,
    "server",
    host === undefined ? {} : {
      "server.publicHost": host,
      "server.vitae.endpoint": `http://REGID.${host}:8090`,
    },
  );
  refuseLooseState(dirname(file), [file]);
  // One of 0.6.x, which stays as it is but for that.
  if (host !== undefined) changeConfig(file, "server", { "server.publicHost": host });
  const { config } = loadConfig(file);
  const { hostKey: keyFile } = config.server.ssh;
  const hostKey = existsSync(keyFile) ? readHostKey(keyFile) : makeHostKey(keyFile);
  openRegistry(config.server.registryUrl).close();
  const option = invocation.values["config"] === undefined ? "" : ` -c ${textValue(invocation, "config")}`;
  process.stdout.write(
    `Config    ${file}\nHost key  ${keyFile} (${hostKey.publicKey.fingerprint})\nRegistry  ${
      config.server.registryUrl.slice("sqlite:".length)
    }\n\n` +
      (host === undefined
        ? `Clients on other machines need a name for this one: set [server] publicHost in the config.\n`
        : "") +
      `Next: "petit server start${option}" starts the server; "petit server join${option}" prints a join code for a client.\n`,
  );
  return 0;
}

/**
 * Whether there is a [server] in a config file, as 0.6.x wrote it, for which petit has served nobody yet: there is no host key, and no
 * registration of a client that could know one. Those that were imported do not: 0.6.x looks at none.
 */
function servedNobody(path: string): boolean {
  if (!existsSync(path)) return false;
  const { config: { server } } = loadConfig(path);
  if (new TomlDocument(readFileSync(path, "utf8")).value["server"] === undefined) return false;
  if (existsSync(server.ssh.hostKey)) return false;
  const registered = registryFile(server.registryUrl);
  // Where only this is left, the registry was lost.
  if (!existsSync(registered)) return !existsSync(`${registered}.highest`);
  const registry = openRegistry(server.registryUrl);
  try {
    return registry.registrations().every(({ legacy }) => legacy);
  } finally {
    registry.close();
  }
}
