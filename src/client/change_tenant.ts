import { join } from "node:path";
import { checkToml, readConfigFile } from "../config/check_toml.ts";
import type { SettingValue } from "../config/effective.ts";
import { tenantTemplate } from "../config/template.ts";
import { type Local, type OwnRules, parseTenantConfig, tenantSchema } from "../config/tenant_config.ts";
import { TomlDocument } from "../config/toml.ts";
import { messageOf, PetitError } from "../error.ts";
import { writeStateFile } from "../platform/state_file.ts";
import { tenantFolder } from "./state.ts";

/**
 * Sets a value in a section of a tenant's own config, which is made where there is none. The file is written as a whole or not
 * at all, and not at all where the result would be wrong.
 *
 * @param fallback [client.local]
 * @throws PetitError `config-syntax`, `config-invalid` or `state-unwritable`
 */
export function changeTenant(
  folder: string,
  tenant: string,
  key: keyof Local | keyof OwnRules,
  value: SettingValue,
  fallback: Local,
  section: "local" | "allow" = "local",
): void {
  const dir = tenantFolder(folder, tenant);
  const file = join(dir, "config.toml");
  // The rules alone leave it to [client.local] where the tenant leads to.
  const fresh = section === "allow" ? "" : tenantTemplate({ name: tenant, index: undefined, local: fallback });
  const before = readConfigFile(file) ?? fresh;
  // What is wrong already is said with its place in the file.
  checkToml(before, file, tenantSchema);
  const after = new TomlDocument(before).with(section, key, value);
  try {
    parseTenantConfig(after, file, dir, fallback);
  } catch (error) {
    // The place would be one in a text that nobody has seen.
    const message = messageOf(error).replace(/^.*?:\d+:\d+: /s, "");
    throw new PetitError("config-invalid", `Cannot change the config: ${message}`, { exitCode: 2, cause: error });
  }
  writeStateFile(file, after);
}
