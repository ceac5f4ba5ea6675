import { join } from "node:path";
import type { RegistrationRequest } from "../../../src/registry/registry.ts";
import { SqliteRegistry } from "../../../src/registry/sqlite_registry.ts";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";

/** Now, as the requests of these tests have it. */
export const NOW = 1_700_000_000_000;

/** A registry of its own, closed with the test. */
export function newRegistry(scope: Scope): { registry: SqliteRegistry; file: string } {
  const file = join(temporaryFolder(scope), "registry.db");
  return { registry: openFile(scope, file), file };
}

/** Opens a registry that is closed with the test. */
export function openFile(scope: Scope, file: string): SqliteRegistry {
  const registry = new SqliteRegistry(file);
  scope.after(() => {
    try {
      registry.close();
    } catch {
      // The test has closed it.
    }
  });
  return registry;
}

/** What the holder of a key asks for; the next free port unless the test says otherwise. */
export function requestOf(
  registry: SqliteRegistry,
  holder: string,
  more: Partial<RegistrationRequest> & { brand?: string } = {},
): RegistrationRequest {
  const { brand = "ce", ...request } = more;
  return {
    key: `ssh-ed25519 ${holder}`,
    fingerprint: `SHA256:${holder}`,
    vitae: { brand, version: "1.0.0", hostname: holder },
    preferred: null,
    joinHash: null,
    tenant: "default",
    port: registry.nextPort(),
    now: NOW,
    ...request,
  };
}

/** Everything that a registry tells, to see that nothing has changed. */
export function contentsOf(registry: SqliteRegistry, joinHash: string): unknown {
  return structuredClone({
    registrations: registry.registrations(),
    nextPort: registry.nextPort(),
    joinCode: registry.joinCode(joinHash),
  });
}
