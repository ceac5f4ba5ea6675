import { parseConfig } from "../../src/config/load.ts";
import type { AccessStore } from "../../src/registry/access.ts";
import { AccessRules } from "../../src/server/access/access_rules.ts";

/** Rules that let everybody in, for what is tested without a registry. */
export function openAccess(): AccessRules {
  const store = { rules: () => new Map(), credentials: () => [] } as unknown as AccessStore;
  return new AccessRules({ store, config: parseConfig("", "/nowhere/config.toml").server });
}
