import type { OpenOptions } from "./guarded_opening.ts";
import type { Registry } from "./registry.ts";
import { SqliteRegistry } from "./sqlite_registry.ts";

/** The file that `[server] registryUrl` names. */
export function registryFile(url: string): string {
  return url.slice("sqlite:".length);
}

/** Opens the registry that `[server] registryUrl` names. @throws PetitError `registry-unusable`, `registry-newer`, `registry-lost` */
export function openRegistry(url: string, options: OpenOptions = {}): Registry {
  return new SqliteRegistry(registryFile(url), options);
}
