import type { ServerConfig } from "../config/schema.ts";
import { DEFAULT_BRAND } from "../default_brand.ts";
import type { Registry } from "../registry/registry.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import { type MadeRegistration, registerOnFreePort } from "./register_on_free_port.ts";

export interface KeyWishes {
  readonly key: PublicKey;
  /** A key has one registration for each tenant. */
  readonly tenant: string;
  readonly brand: string | undefined;
}

/**
 * Makes a registration for a public key, as an operator: nobody has to prove anything. What the key has already for the tenant is
 * found, and left as it is.
 *
 * @throws PetitError as `registerOnFreePort`
 */
export async function registerPublicKey(
  registry: Registry,
  { firstReversePort }: Pick<ServerConfig, "firstReversePort">,
  { key, tenant, brand = DEFAULT_BRAND }: KeyWishes,
): Promise<MadeRegistration> {
  const { line, fingerprint } = key;
  const known = registry.registrations().find((one) => one.fingerprint === fingerprint && one.tenant === tenant);
  if (known !== undefined) return { registration: known, isNew: false };
  // Nothing is known of the client's program.
  const vitae = { brand, version: "-" };
  const request = { key: line, fingerprint, vitae, tenant, preferred: null, joinHash: null };
  return await registerOnFreePort(registry, firstReversePort, request);
}
