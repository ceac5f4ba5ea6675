import process from "node:process";
import { clientKey } from "../../client/state.ts";
import type { Overrides } from "../../config/template.ts";
import { loadConfig } from "../../config/load.ts";
import type { Invocation } from "../commands/command.ts";
import { initConfig } from "../init_config.ts";
import { configFile, hostAndPort, textValue } from "../values.ts";

export function clientInit(invocation: Invocation): number {
  const file = initConfig(configFile(invocation), "client", {
    ...serverOverrides(invocation),
    ...localOverrides(invocation),
  });
  const { folder, config: { client } } = loadConfig(file);
  const { publicKey } = clientKey(folder);
  process.stdout.write(
    `Config   ${file}\nKey      ${folder}/key (${publicKey.fingerprint})\nService  ${client.local.host}:${client.local.port}\n\n` +
      `Next: "petit client register" with a join code from the server's operator.\n`,
  );
  return 0;
}

function serverOverrides(invocation: Invocation): Overrides {
  const text = textValue(invocation, "server");
  if (text === undefined) return {};
  const { host, port } = hostAndPort(text, "--server", 2222);
  return { "client.host": host, "client.port": port };
}

/** What `--local` sets. @throws PetitError `usage` */
export function localOverrides(invocation: Invocation): Overrides {
  const text = textValue(invocation, "local");
  if (text === undefined) return {};
  const { host, port } = hostAndPort(text, "--local");
  return { "client.local.host": host, "client.local.port": port };
}
