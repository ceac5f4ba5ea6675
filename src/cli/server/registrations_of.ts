import { existsSync } from "node:fs";
import { PetitError } from "../../error.ts";
import { openRegistry, registryFile } from "../../registry/open_registry.ts";
import type { Registration } from "../../registry/registry.ts";

/** All registrations, read in the registry itself; undefined where there is none or it cannot be read, which the server tells of. */
export function registrationsOf(url: string): readonly Registration[] | undefined {
  // Opened, it would be made.
  if (!existsSync(registryFile(url))) return undefined;
  try {
    const registry = openRegistry(url);
    try {
      return registry.registrations();
    } finally {
      registry.close();
    }
  } catch (error) {
    if (error instanceof PetitError) return undefined;
    throw error;
  }
}
