import { dirname, join } from "node:path";
import type { LoadedConfig } from "../config/load.ts";
import type { Role } from "../platform/folder_lock.ts";
import { refuseLooseState } from "../platform/strict_modes.ts";
import { registryFile } from "../registry/open_registry.ts";

/** Refuses to work with state that other users of this machine can change, unless `strictModes` is off. @throws PetitError as `refuseLooseState` */
export function refuseLoose(role: Role, { config, file, folder }: LoadedConfig): void {
  if (!config[role].strictModes) return;
  const own = role === "server"
    ? [dirname(registryFile(config.server.registryUrl))]
    : [join(folder, "tenants"), join(folder, "known_hosts")];
  refuseLooseState(folder, [file, ...own]);
}
