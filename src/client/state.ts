import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf, PetitError, systemCode } from "../error.ts";
import { removeStateFile, writeStateFile } from "../platform/state_file.ts";
import { isRefusedKey, readPrivateKey } from "../platform/strict_modes.ts";
import { DEFAULT_TENANT } from "../tenant_name.ts";
import { generateKey, type PublicKey, publicKeyOf } from "../tunnel/keys.ts";
import type { Registered } from "../tunnel/messages.ts";

const registrationFile = z.object({ id: z.string().min(1), port: z.int().min(1).max(65535) });

/** What a tenant was given when it registered. */
export type TenantRegistration = z.output<typeof registrationFile>;

/** The folder of a tenant. */
export function tenantFolder(folder: string, tenant: string): string {
  return join(folder, "tenants", tenant);
}

/** The client's key, made at first use. `made` tells whether it was. @throws PetitError `key-unusable`, or as `readPrivateKey` */
export function clientKey(folder: string): { privatePem: string; publicKey: PublicKey; made: boolean } {
  const file = join(folder, "key");
  if (existsSync(file)) return { ...readKey(file), made: false };
  const pair = generateKey("petit client");
  writeStateFile(file, pair.privatePem);
  return { ...pair, made: true };
}

/** The key of a client that is registered with it: a new one would be of no use. @throws PetitError `key-missing`, `key-unusable`, or as `readPrivateKey` */
export function ownKey(folder: string): { privatePem: string; publicKey: PublicKey } {
  const file = join(folder, "key");
  if (existsSync(file)) return readKey(file);
  throw new PetitError("key-missing", `This client's key "${file}" is missing`, {
    hint: "Restore the file from a backup, or register again with a new join code",
  });
}

/** The fingerprint of the key, whoever can read it. @throws PetitError `key-unusable` */
export function fingerprintOfKey(folder: string): string {
  return readKey(join(folder, "key"), (file) => readFileSync(file, "utf8")).publicKey.fingerprint;
}

function readKey(file: string, read = readPrivateKey): { privatePem: string; publicKey: PublicKey } {
  try {
    const privatePem = read(file);
    return { privatePem, publicKey: publicKeyOf(privatePem) };
  } catch (error) {
    if (isRefusedKey(error)) throw error;
    throw new PetitError("key-unusable", `Cannot use this client's key "${file}": ${messageOf(error)}`, {
      hint: "Restore the file from a backup, or move it away and register again",
      cause: error,
    });
  }
}

/** What a tenant was given, or undefined where it is not registered. @throws PetitError `registration-damaged` */
export function readRegistration(folder: string, tenant: string): TenantRegistration | undefined {
  const file = join(tenantFolder(folder, tenant), "registration");
  const text = textOf(file);
  if (text === undefined) return undefined;
  try {
    return registrationFile.parse(JSON.parse(text));
  } catch (error) {
    throw new PetitError("registration-damaged", `The registration "${file}" cannot be read`, {
      hint: "Move the file away and register again with a new join code",
      cause: error,
    });
  }
}

/** What a tenant asks for when it registers: what it has, or what it had last. @throws PetitError `registration-damaged` */
export function readPreferred(folder: string, tenant: string): TenantRegistration | undefined {
  const registration = readRegistration(folder, tenant);
  if (registration !== undefined) return registration;
  try {
    return registrationFile.parse(JSON.parse(textOf(join(tenantFolder(folder, tenant), "preferred")) ?? ""));
  } catch {
    return undefined;
  }
}

/** The URL of a tenant, as far as it is known. */
export function readEndpoint(folder: string, tenant: string): string | undefined {
  return textOf(join(tenantFolder(folder, tenant), "endpoint"))?.trim() || undefined;
}

/** Keeps what the server gave, and under which URL the tenant is reached. The registration comes last: with it all is there. */
export function writeRegistration(
  folder: string,
  tenant: string,
  { registeredId, registeredPort, endpoint }: Registered,
): void {
  const registration: TenantRegistration = { id: registeredId, port: registeredPort };
  const content = `${JSON.stringify(registration)}\n`;
  writeStateFile(join(tenantFolder(folder, tenant), "preferred"), content);
  writeEndpoint(folder, tenant, endpoint);
  writeStateFile(join(tenantFolder(folder, tenant), "registration"), content);
}

/** Forgets the registration of a tenant, but for what to ask for the next time. */
export function forgetRegistration(folder: string, tenant: string, { id, port }: TenantRegistration): void {
  const own = tenantFolder(folder, tenant);
  writeStateFile(join(own, "preferred"), `${JSON.stringify({ id, port })}\n`);
  removeStateFile(join(own, "registration"));
  removeStateFile(join(own, "endpoint"));
  if (tenant === DEFAULT_TENANT) removeStateFile(join(folder, "endpoint"));
}

/** Writes the file `endpoint` of a tenant, and the client's own for its default tenant; nothing where it is there already. */
export function writeEndpoint(folder: string, tenant: string, endpoint: string): void {
  const files = [join(tenantFolder(folder, tenant), "endpoint")];
  if (tenant === DEFAULT_TENANT || isFormers(folder)) files.push(join(folder, "endpoint"));
  for (const file of files) if (textOf(file) !== endpoint) writeStateFile(file, endpoint);
}

/** Whether the client's own is that of its only tenant, as a client of 0.6.x has left it: that one gave its tenants any names. */
function isFormers(folder: string): boolean {
  return existsSync(join(folder, "endpoint")) && readdirSync(join(folder, "tenants")).length === 1;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw new PetitError("state-unreadable", `Cannot read "${file}": ${messageOf(error)}`, {
      hint: "Check that the folder belongs to this user",
      cause: error,
    });
  }
}
