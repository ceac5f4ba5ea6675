import { loadConfig } from "../../config/load.ts";
import { openRegistry } from "../../registry/open_registry.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Invocation } from "../commands/command.ts";
import { configFile } from "../values.ts";

/** Does something with the registry of the config, whether a server has it open or not. A running server notices changes within half a second. */
export function withRegistry<Result>(invocation: Invocation, work: (registry: Registry) => Result): Result {
  const registry = openRegistry(loadConfig(configFile(invocation)).config.server.registryUrl);
  try {
    return work(registry);
  } finally {
    registry.close();
  }
}
