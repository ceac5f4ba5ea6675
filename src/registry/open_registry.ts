import type { Registry } from "./registry.ts";
import { SqliteRegistry } from "./sqlite_registry.ts";

/** Opens the registry that `[server] registryUrl` names. @throws PetitError `registry-unusable` */
export function openRegistry(url: string): Registry {
  return new SqliteRegistry(url.slice("sqlite:".length));
}
