import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { loadConfig } from "../../config/load.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";

/**
 * The folder whose daemon a command speaks to. The config in it is not read: whoever made a mistake in it can still ask the daemon
 * that runs. @throws PetitError `config-missing`
 */
export function daemonFolder(invocation: Invocation): string {
  const file = resolve(configFile(invocation));
  return existsSync(file) ? dirname(file) : loadConfig(file).folder;
}
