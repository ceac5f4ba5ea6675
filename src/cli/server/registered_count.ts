import { existsSync } from "node:fs";
import { loadConfig } from "../../config/load.ts";
import { listedRegistrations } from "../../registry/listed_registrations.ts";
import { registryFile } from "../../registry/open_registry.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";

/** "3 registrations are", counted in the registry itself; undefined where there is none or it can't be read. */
export function registeredCount(invocation: Invocation): string | undefined {
  try {
    const url = loadConfig(configFile(invocation)).config.server.registryUrl;
    if (!existsSync(registryFile(url))) return undefined;
    const count = listedRegistrations(url).length;
    return count === 1 ? "1 registration is" : `${count} registrations are`;
  } catch {
    // It was to be said in passing only.
    return undefined;
  }
}
