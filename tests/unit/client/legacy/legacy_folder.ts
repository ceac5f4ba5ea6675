import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateRsaKey } from "../../../../src/tunnel/rsa_key.ts";
import { type Scope, temporaryFolder } from "../../../world/world.ts";

/** One key for all: making one takes a moment. */
export const RSA = generateRsaKey();

/** A folder as a client of 0.6.x leaves it: a key, and tenants with these registrations. */
export function formerFolder(scope: Scope, registrations: Record<string, unknown>): string {
  const folder = temporaryFolder(scope);
  writeFileSync(join(folder, "key"), RSA.privatePem, { mode: 0o600 });
  for (const [tenant, registration] of Object.entries(registrations)) {
    mkdirSync(join(folder, "tenants", tenant), { recursive: true });
    writeFileSync(join(folder, "tenants", tenant, "registration"), JSON.stringify(registration));
  }
  return folder;
}
