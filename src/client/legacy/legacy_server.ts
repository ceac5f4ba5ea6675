import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { PetitError, systemCode } from "../../error.ts";
import { removeStateFile, writeStateFile } from "../../platform/state_file.ts";
import { readRegistration } from "../state.ts";
import { tenantNames } from "../tenants.ts";

const legacyServerFile = z.object({
  /** [client] host, as it was then. */
  host: z.string().min(1),
  /** Whether its SSH server was another one than petit's, so that its backchannel may be plain TCP. */
  plain: z.boolean(),
});

/**
 * That no join code has vouched for this client's server: it was registered with by the means of 0.6.x. Without this file nothing is ever sent
 * over the plain backchannel, but for the first look from a folder of 0.6.x; a join code takes it away.
 */
export type LegacyServer = z.output<typeof legacyServerFile>;

const fileOf = (folder: string) => join(folder, "legacy_server");

/** @throws PetitError `state-damaged` */
export function readLegacyServer(folder: string): LegacyServer | undefined {
  const file = fileOf(folder);
  try {
    return legacyServerFile.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw new PetitError("state-damaged", `The file "${file}" cannot be read`, {
      hint: "Move the file away and register again",
      cause: error,
    });
  }
}

/** @throws PetitError `state-unwritable` */
export function writeLegacyServer(folder: string, server: LegacyServer): void {
  writeStateFile(fileOf(folder), `${JSON.stringify(server)}\n`);
}

/** A join code vouches for the server from now on. @throws PetitError `state-unwritable` */
export function forgetLegacyServer(folder: string, host: string): void {
  // Without a trace, a folder with such a key might be taken for one of 0.6.x if its known_hosts went missing.
  if (hasFormerKey(folder)) writeLegacyServer(folder, { host, plain: false });
  else removeStateFile(fileOf(folder));
}

/** Whether the backchannel of a server may be plain TCP. @throws PetitError as `readLegacyServer` */
export function mayBePlain(folder: string, host: string): boolean {
  const server = readLegacyServer(folder);
  return server === undefined ? isFormerFolder(folder) : server.plain && server.host === host;
}

/**
 * Whether a client of 0.6.x has left this folder behind, and nothing else has worked with it since: an RSA key as it makes them, a registration,
 * and no host key, since it has never looked at any. petit itself writes the host key, and the file above, with its first registration.
 */
export function isFormerFolder(folder: string): boolean {
  if (existsSync(join(folder, "known_hosts")) || existsSync(fileOf(folder)) || !hasFormerKey(folder)) return false;
  return tenantNames(folder).some((tenant) => isRegistered(folder, tenant));
}

function hasFormerKey(folder: string): boolean {
  try {
    return readFileSync(join(folder, "key"), "latin1").trimStart().startsWith("-----BEGIN RSA PRIVATE KEY-----");
  } catch {
    return false;
  }
}

/** One that cannot be read is there all the same. */
function isRegistered(folder: string, tenant: string): boolean {
  try {
    return readRegistration(folder, tenant) !== undefined;
  } catch {
    return true;
  }
}
