import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { ClientConfig } from "../../config/schema.ts";
import { messageOf, PetitError } from "../../error.ts";
import { writeStateFile } from "../../platform/state_file.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { generateRsaKey, type RsaKey, rsaKeyOf } from "../../tunnel/rsa_key.ts";
import type { Registered } from "../../tunnel/messages.ts";
import { KnownHost } from "../known_host.ts";
import { ownKey, readPreferred, readRegistration, writeRegistration } from "../state.ts";
import { tenantNames } from "../tenants.ts";
import { ownRsaKey } from "./answer_prompt.ts";
import { LegacyConnection } from "./legacy_connection.ts";
import { beginHandshake, registerWith } from "./legacy_dialogues.ts";
import { legacyEndpoint } from "./legacy_endpoint.ts";
import { readLegacyServer, writeLegacyServer } from "./legacy_server.ts";

export interface LegacyRegistering {
  readonly config: ClientConfig;
  /** The folder with the key and the tenants. */
  readonly folder: string;
  readonly tenant: string;
  /** What the server's sshd has shown, and somebody or known_hosts has vouched for. */
  readonly hostKey: PublicKey;
  readonly signal: AbortSignal;
  /** Called when the server has registered the tenant, before the registration is kept. */
  beforeKept?(): void;
}

/**
 * Registers a tenant with a server of 0.6.x, over its plain backchannel: it takes whoever comes.
 *
 * @throws PetitError `other-server`, `key-not-rsa`, `server-has-no-ports`, and as `LegacyConnection`; nothing has been kept then but the client's key
 */
export async function registerLegacy(options: LegacyRegistering): Promise<Registered> {
  const { config, folder, tenant, hostKey, signal } = options;
  const { host, port, backPort, connectTimeout: timeout } = config;
  refuseOtherLegacyServer(folder, tenant, host);
  const key = rsaKey(folder, `${host}:${port}`);
  const connection = await LegacyConnection.open({ host, port: backPort, timeout }, signal);
  try {
    const { id, port: registeredPort } = await registerWith(connection, key, readPreferred(folder, tenant));
    if (registeredPort === undefined) {
      throw new PetitError("server-has-no-ports", `The server ${host} has no reverse port to give`, {
        hint: 'Its operator has to fill "g2c/openPorts" in its Redis',
      });
    }
    // Nobody is connected with a new id: that the server sends its callers nowhere for the time of a handshake does no harm.
    const { vitae } = await beginHandshake(connection, key, [id]);
    const endpoint = legacyEndpoint(vitae.endpoint, id, host, registeredPort);
    const registered: Registered = { registeredId: id, registeredPort, endpoint };
    options.beforeKept?.();
    new KnownHost(folder).add(host, port, hostKey);
    writeLegacyServer(folder, { host, plain: true });
    writeRegistration(folder, tenant, registered);
    return registered;
  } finally {
    connection.close();
  }
}

/** All tenants of a client share one tunnel, to one server. */
function refuseOtherLegacyServer(folder: string, tenant: string, host: string): void {
  const other = tenantNames(folder).find((name) => name !== tenant && readRegistration(folder, name) !== undefined);
  const server = readLegacyServer(folder);
  // A folder of 0.6.x that has not been started yet knows of no server but that of its config.
  if (other === undefined || server?.host === host || (server === undefined && !new KnownHost(folder).pinned)) return;
  throw new PetitError(
    "other-server",
    `Tenant "${other}" of this client is registered with another server than ${host}`,
    {
      hint: "A client has one server: unregister its tenants there first, or set up another client with --config",
    },
  );
}

/** The client's RSA key, made where there is none. A key of another type is put aside as long as nothing is registered with it. */
function rsaKey(folder: string, server: string): RsaKey {
  const file = join(folder, "key");
  if (existsSync(file)) {
    const found = rsaKeyOf(ownKey(folder).privatePem);
    if (found !== undefined) return found;
    if (tenantNames(folder).some((tenant) => readPreferred(folder, tenant) !== undefined)) {
      return ownRsaKey(folder, server);
    }
    putAside(file);
  }
  const made = generateRsaKey();
  writeStateFile(file, made.privatePem);
  return made;
}

function putAside(file: string): void {
  try {
    renameSync(file, `${file}.before`);
  } catch (error) {
    throw new PetitError("state-unwritable", `Cannot put the key "${file}" aside: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
