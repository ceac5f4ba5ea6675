import { existsSync } from "node:fs";
import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { openRegistry } from "../../registry/open_registry.ts";
import { makeHostKey, readHostKey } from "../../server/host_key/host_key.ts";
import type { Invocation } from "../commands/command.ts";
import { initConfig } from "../init_config.ts";
import { configFile, textValue } from "../values.ts";

export function serverInit(invocation: Invocation): number {
  const host = textValue(invocation, "host");
  const file = initConfig(
    configFile(invocation),
    "server",
    host === undefined ? {} : {
      "server.publicHost": host,
      "server.vitae.endpoint": `http://REGID.${host}:8090`,
    },
  );
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
