import { createHash } from "node:crypto";
import { effectiveSettings, type Settings } from "../config/effective.ts";
import type { Config, ServerConfig } from "../config/schema.ts";

/** Hexadecimal digits of a digest: nobody looks for a second config with the same one. */
const DIGITS = 16;

/** Settings with their values, as they would stand in the config file. @param names "section.key" */
export function settingLines(server: ServerConfig, names: readonly string[]): string[] {
  const all = settingsOf(server);
  return names.map((name) => {
    const dot = name.lastIndexOf(".");
    return `${name} = ${JSON.stringify(all[name.slice(0, dot)]?.[name.slice(dot + 1)])}`;
  });
}

/** A digest of all settings, defaults included: another one at the next start says that the config file was changed meanwhile. */
export function settingsDigest(server: ServerConfig): string {
  return createHash("sha256").update(JSON.stringify(settingsOf(server))).digest("hex").slice(0, DIGITS);
}

function settingsOf(server: ServerConfig): Settings {
  return effectiveSettings({ server } as unknown as Config, "server");
}
