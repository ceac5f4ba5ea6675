import { existsSync } from "node:fs";
import { join } from "node:path";
import { changeTenant } from "../../client/change_tenant.ts";
import { tenantFolder } from "../../client/state.ts";
import { knownTenant, readTenant } from "../../client/tenants.ts";
import { effectiveSettings, written } from "../../config/effective.ts";
import { loadConfig } from "../../config/load.ts";
import { localSchema } from "../../config/client_settings.ts";
import type { Local, OwnRules } from "../../config/tenant_config.ts";
import { changeConfig } from "../../control/change_config.ts";
import { DEFAULT_TENANT } from "../../tenant_name.ts";
import { clientContext } from "./client_context.ts";
import type { Invocation } from "../commands/command.ts";
import { configCommand, type Subject } from "../daemon/config_command.ts";
import { textValue } from "../values.ts";

/** `petit client config`: of the client, or of one tenant. */
export async function clientConfig(invocation: Invocation): Promise<number> {
  const { file, folder } = clientContext(invocation);
  const typed = textValue(invocation, "tenant");
  if (typed === undefined) {
    return await configCommand(invocation, {
      role: "client",
      folder,
      settings: () => effectiveSettings(loadConfig(file).config, "client"),
      change: (section, key, value) => changeConfig(file, "client", { [`${section}.${key}`]: value }),
    });
  }
  return await configCommand(invocation, tenantSubject(file, folder, knownTenant(folder, typed)));
}

function tenantSubject(file: string, folder: string, tenant: string): Subject {
  const fallback = () => loadConfig(file).config.client.local;
  // The default tenant is described by the main config, unless it has one of its own.
  const own = tenant !== DEFAULT_TENANT || existsSync(join(tenantFolder(folder, tenant), "config.toml"));
  return {
    role: "client",
    folder,
    settings() {
      const { client } = loadConfig(file).config;
      const { local, allow } = readTenant(folder, tenant, client.local);
      const { methods, paths } = client.allow;
      return {
        local: written({ ...local }, localSchema.shape),
        allow: { methods: allow.methods ?? methods, paths: allow.paths ?? paths },
      };
    },
    change(section, key, value) {
      if (section === "allow") changeTenant(folder, tenant, key as keyof OwnRules, value, fallback(), "allow");
      else if (own) changeTenant(folder, tenant, key as keyof Local, value, fallback());
      else changeConfig(file, "client", { [`client.local.${key}`]: value });
    },
  };
}
