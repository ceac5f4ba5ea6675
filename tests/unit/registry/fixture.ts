import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { OpenOptions, RegistryFinding } from "../../../src/registry/guarded_opening.ts";
import type { Mark } from "../../../src/registry/high_water_mark.ts";
import type { ImportedRegistration, RegistrationRequest } from "../../../src/registry/registry.ts";
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
export function openFile(scope: Scope, file: string, options: OpenOptions = {}): SqliteRegistry {
  const registry = new SqliteRegistry(file, options);
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

/** A registration as another system kept it. */
export function imported(id: number, more: Partial<ImportedRegistration> = {}): ImportedRegistration {
  return {
    id: String(id),
    port: id + 10080,
    key: `ssh-rsa ${id}`,
    fingerprint: `SHA256:${id}`,
    brand: "ce",
    aliases: [],
    vitae: null,
    ...more,
  };
}

/** A registry that has given away ids up to 1003, closed. */
export function threeGiven(scope: Scope): string {
  const { registry, file } = newRegistry(scope);
  for (const holder of ["a", "b", "c"]) registry.register(requestOf(registry, holder));
  registry.close();
  return file;
}

/** Opens a registry as the server does, to be closed with the test, and with what the server is told. */
export function openTold(scope: Scope, file: string): { registry: SqliteRegistry; findings: RegistryFinding[] } {
  const findings: RegistryFinding[] = [];
  return { registry: openFile(scope, file, { onFinding: (finding) => findings.push(finding) }), findings };
}

/** What the mark beside a registry says. */
export function markOf(file: string): Mark {
  return JSON.parse(readFileSync(`${file}.highest`, "utf8")) as Mark;
}

/** Does something to a registry's file as any program with SQLite could. */
export function onDatabase(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}
