import { loadConfig } from "../../config/load.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";
import { registrationsOf } from "./registrations_of.ts";

/** "3 registrations are", counted in the registry itself; undefined where there is none or it can't be read. */
export function registeredCount(invocation: Invocation): string | undefined {
  try {
    const count = registrationsOf(loadConfig(configFile(invocation)).config.server.registryUrl)?.length;
    return count === undefined ? undefined : count === 1 ? "1 registration is" : `${count} registrations are`;
  } catch {
    // It was to be said in passing only.
    return undefined;
  }
}
