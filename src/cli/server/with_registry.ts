import { refuseFormer } from "../../config/former_settings.ts";
import { loadConfig } from "../../config/load.ts";
import type { ServerConfig } from "../../config/schema.ts";
import { auditedRegistry } from "../../registry/audited_registry.ts";
import { openRegistry } from "../../registry/open_registry.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";
import { withAudit } from "./with_audit.ts";

/**
 * Does something with the registry of the config, whether a server has it open or not. A running server notices changes within half a second,
 * and the audit log tells of them.
 *
 * @param importing lets the config name the registry of 0.6.x that is to be taken in, into the one that it names by default
 */
export function withRegistry<Result>(
  invocation: Invocation,
  work: (registry: Registry, config: ServerConfig) => Result,
  importing = false,
): Result {
  const { config: { server }, former } = loadConfig(configFile(invocation));
  if (!importing) refuseFormer("server", former);
  const registry = openRegistry(server.registryUrl);
  try {
    return withAudit(server, (audit) => work(auditedRegistry(registry, audit), server));
  } finally {
    registry.close();
  }
}
