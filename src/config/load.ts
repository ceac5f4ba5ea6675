import { dirname, resolve } from "node:path";
import { PetitError } from "../error.ts";
import { checkToml, readConfigFile } from "./check_toml.ts";
import { formerSettings, type FoundFormer } from "./former_settings.ts";
import { type Config, configSchema } from "./schema.ts";

/** A config file that has been read and checked. */
export interface LoadedConfig {
  config: Config;
  /** Absolute path of the file. */
  file: string;
  /** Absolute path of the folder that holds the file and all state. */
  folder: string;
  /** Settings of 0.6.x that stand in it, and are left out. */
  former: readonly FoundFormer[];
}

/**
 * Reads and checks a config file.
 *
 * @throws PetitError with exit code 2: `config-missing`, `config-unreadable`, `config-syntax` or `config-invalid`; the message names
 * the file, line and column, what was found and what is wanted.
 */
export function loadConfig(path: string): LoadedConfig {
  const file = resolve(path);
  const text = readConfigFile(file);
  if (text === undefined) {
    throw new PetitError("config-missing", `There is no config file "${file}"`, {
      hint: 'Make one with "petit server init" or "petit client init", or name another with --config',
      exitCode: 2,
    });
  }
  const former: FoundFormer[] = [];
  return { config: parseConfig(text, file, former), file, folder: dirname(file), former };
}

/**
 * Checks the text of a config file.
 *
 * @param file for messages and for relative paths
 * @param former gets the settings of 0.6.x that stand in it
 * @throws PetitError as `loadConfig`
 */
export function parseConfig(text: string, file: string, former: FoundFormer[] = []): Config {
  return resolvePaths(checkToml(text, file, configSchema, formerSettings, former), dirname(file));
}

function resolvePaths(config: Config, folder: string): Config {
  const { server, client } = config;
  for (const daemon of [server, client]) {
    if (daemon.listenSocket !== "") daemon.listenSocket = resolve(folder, daemon.listenSocket);
    if (daemon.logFolder !== "") daemon.logFolder = resolve(folder, daemon.logFolder);
  }
  if (client.local.tlsCa !== "") client.local.tlsCa = resolve(folder, client.local.tlsCa);
  if (server.access.clientCa !== "") server.access.clientCa = resolve(folder, server.access.clientCa);
  if (server.usageUrl !== "") server.usageUrl = resolveUrl(server.usageUrl, folder);
  if (server.auditUrl !== "") server.auditUrl = resolveUrl(server.auditUrl, folder);
  server.certificates = resolve(folder, server.certificates);
  server.ssh.hostKey = resolve(folder, server.ssh.hostKey);
  // Whose home "~" is depends on sshdUser (sshd_account.ts).
  const { ssh } = server;
  if (!ssh.authorizedKeysFile.startsWith("~/")) ssh.authorizedKeysFile = resolve(folder, ssh.authorizedKeysFile);
  ssh.sshdHostKeys = resolve(folder, ssh.sshdHostKeys);
  ssh.sshdConfig = resolve(folder, ssh.sshdConfig);
  server.registryUrl = resolveUrl(server.registryUrl, folder);
  return config;
}

function resolveUrl(url: string, folder: string): string {
  return `sqlite:${resolve(folder, url.slice("sqlite:".length))}`;
}
