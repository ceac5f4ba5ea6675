import type { ClientConfig } from "../../config/schema.ts";
import { PetitError } from "../../error.ts";
import { KnownHost } from "../known_host.ts";
import { isFormerFolder, readLegacyServer } from "./legacy_server.ts";

/** Where sshd is, which clients of 0.6.x log in at, and where petit's gateway is. */
const SSH_PORT = 22;
const GATEWAY_PORT = 2222;

/**
 * The ports at which the server may be found, the likeliest first. A folder of 0.6.x names that of its old server's sshd: where the operator has gone over to petit, its
 * gateway may be there, or on a port of its own. Once the server was found, it is the one with the pinned host key.
 */
export function serverPorts({ host, port }: Pick<ClientConfig, "host" | "port">, folder: string): number[] {
  const all = port === SSH_PORT ? [SSH_PORT, GATEWAY_PORT] : port === GATEWAY_PORT ? [GATEWAY_PORT, SSH_PORT] : [port];
  if (isFormerFolder(folder)) return all;
  if (readLegacyServer(folder)?.host !== host) return [port];
  const known = new KnownHost(folder);
  const found = all.filter((one) => known.of(host, one).length > 0);
  return found.length === 0 ? [port] : found;
}

/** Errors that say that the server, if there is one, is at another port. */
const NOT_HERE = new Set(["server-refused", "server-not-ssh", "login-refused"]);

export function isElsewhere(error: unknown): boolean {
  return error instanceof PetitError && NOT_HERE.has(error.code);
}
