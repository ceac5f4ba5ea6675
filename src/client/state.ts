import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, PetitError } from "../error.ts";
import { writeStateFile } from "../platform/state_file.ts";
import { generateKey, type PublicKey, publicKeyOf } from "../tunnel/keys.ts";
import type { Registered } from "../tunnel/messages.ts";

/** The tenant that a client has without further ado. */
export const DEFAULT_TENANT = "default";

const registrationFile = z.object({ id: z.string().min(1), port: z.int().min(1).max(65535) });

/** What a tenant was given when it registered. */
export type TenantRegistration = z.output<typeof registrationFile>;

/** A registered tenant. */
export interface Tenant {
  readonly name: string;
  readonly registration: TenantRegistration;
}

/** The client's key, made at first use. `made` tells whether it was. @throws PetitError `key-unusable` */
export function clientKey(folder: string): { privatePem: string; publicKey: PublicKey; made: boolean } {
  const file = join(folder, "key");
  if (!existsSync(file)) {
    const pair = generateKey("petit client");
    writeStateFile(file, pair.privatePem);
    return { ...pair, made: true };
  }
  try {
    const privatePem = readFileSync(file, "utf8");
    return { privatePem, publicKey: publicKeyOf(privatePem), made: false };
  } catch (error) {
    throw new PetitError("key-unusable", `Cannot use this client's key "${file}": ${messageOf(error)}`, {
      hint: "Restore the file from a backup, or move it away and register again",
      cause: error,
    });
  }
}

/** The tenants that are registered, by name. @throws PetitError `registration-damaged` */
export function readTenants(folder: string): Tenant[] {
  const tenants = join(folder, "tenants");
  if (!existsSync(tenants)) return [];
  return readdirSync(tenants).sort().flatMap((name) => {
    const registration = readRegistration(folder, name);
    return registration === undefined ? [] : [{ name, registration }];
  });
}

/** What a tenant was given, or undefined where it is not registered. @throws PetitError `registration-damaged` */
export function readRegistration(folder: string, tenant: string): TenantRegistration | undefined {
  const file = join(folder, "tenants", tenant, "registration");
  if (!existsSync(file)) return undefined;
  try {
    return registrationFile.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    throw new PetitError("registration-damaged", `The registration "${file}" cannot be read`, {
      hint: "Move the file away and register again with a new join code",
      cause: error,
    });
  }
}

/** Keeps what the server gave, and under which URL the tenant is reached. */
export function writeRegistration(
  folder: string,
  tenant: string,
  { registeredId, registeredPort, endpoint }: Registered,
): void {
  const own = join(folder, "tenants", tenant);
  const registration: TenantRegistration = { id: registeredId, port: registeredPort };
  writeStateFile(join(own, "registration"), `${JSON.stringify(registration)}\n`);
  writeEndpoint(folder, tenant, endpoint);
}

/** Writes the file `endpoint` of a tenant, and the client's own for its default tenant. */
export function writeEndpoint(folder: string, tenant: string, endpoint: string): void {
  writeStateFile(join(folder, "tenants", tenant, "endpoint"), endpoint);
  if (tenant === DEFAULT_TENANT) writeStateFile(join(folder, "endpoint"), endpoint);
}
