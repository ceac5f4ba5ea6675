import { loadConfig } from "../../config/load.ts";
import type { ClientConfig } from "../../config/schema.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile, textValue } from "../values.ts";

/** Milliseconds for everything that a command asks of the server. */
const PATIENCE = 60_000;

/** What the commands about tenants work with. */
export interface ClientContext {
  readonly config: ClientConfig;
  /** Absolute path of the config file. */
  readonly file: string;
  readonly folder: string;
  readonly json: boolean;
  readonly signal: AbortSignal;
  /** "-c FILE" where it was typed, for the commands that are named to a person. */
  readonly option: string;
}

/** @throws PetitError as `loadConfig` */
export function clientContext(invocation: Invocation): ClientContext {
  const { config, file, folder } = loadConfig(configFile(invocation));
  const typed = textValue(invocation, "config");
  return {
    config: config.client,
    file,
    folder,
    json: invocation.values["json"] === true,
    signal: AbortSignal.timeout(PATIENCE),
    option: typed === undefined ? "" : ` -c ${typed}`,
  };
}
