import { refuseFormer } from "../../config/former_settings.ts";
import { loadConfig } from "../../config/load.ts";
import type { ServerConfig } from "../../config/schema.ts";
import { auditedRegistry } from "../../registry/audited_registry.ts";
import { openRegistry } from "../../registry/open_registry.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";
import { commandAudit, withAudit } from "./with_audit.ts";

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
  const { registry, server } = opened(invocation, importing);
  try {
    return withAudit(server, (audit) => work(auditedRegistry(registry, audit), server));
  } finally {
    registry.close();
  }
}

/** The same for what takes its time. */
export async function withRegistryAwaited<Result>(
  invocation: Invocation,
  work: (registry: Registry, config: ServerConfig) => Promise<Result>,
): Promise<Result> {
  const { registry, server } = opened(invocation, false);
  const { audit, end } = commandAudit(server);
  try {
    return await work(auditedRegistry(registry, audit), server);
  } finally {
    end();
    registry.close();
  }
}

/** @throws PetitError `config-former`, as `start` does: registrations are not made beside those of 0.6.x */
function opened(invocation: Invocation, importing: boolean): { registry: Registry; server: ServerConfig } {
  const { config: { server }, former } = loadConfig(configFile(invocation));
  if (!importing) refuseFormer("server", former);
  return { registry: openRegistry(server.registryUrl), server };
}
