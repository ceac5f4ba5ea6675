import { join } from "node:path";
import type { ClientConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { sshSoftware } from "../platform/version.ts";
import { HANDSHAKE_VERSION, type Registered } from "../tunnel/messages.ts";
import { connectSsh } from "../tunnel/ssh_client.ts";
import { acceptForwarded } from "./accept.ts";
import { openBackchannel } from "./backchannel.ts";
import { KnownHost } from "./known_host.ts";
import { clientKey, type Tenant, writeEndpoint } from "./state.ts";
import { clientVitae } from "./vitae.ts";

export interface ConnectOptions {
  readonly config: ClientConfig;
  /** The folder with the key and the tenants. */
  readonly folder: string;
  readonly tenants: readonly Tenant[];
  readonly log: Log;
  readonly noise: OnceAMinute;
  readonly signal: AbortSignal;
  /** Called when callers can reach the service. */
  onConnected(registrations: readonly Registered[]): void;
}

/**
 * Opens the tunnel, serves it, and returns the reason in words when it ends.
 *
 * @throws PetitError where it does not come about
 */
export async function connectOnce(options: ConnectOptions): Promise<string> {
  const { config, folder, tenants, log, noise, signal } = options;
  const known = new KnownHost(folder);
  const connection = await connectSsh({
    host: config.host,
    port: config.port,
    user: config.username,
    privateKey: clientKey(folder).privatePem,
    software: sshSoftware,
    verifyHost: (key) => known.check(config.host, config.port, key),
    timeout: config.connectTimeout,
    alive: { interval: config.serverAliveInterval, countMax: config.serverAliveCountMax },
    signal,
  }).catch((error) => {
    throw error instanceof PetitError && error.code === "login-refused" ? unknownHere(config, folder, error) : error;
  });
  try {
    const backchannel = await openBackchannel(connection);
    const { registrations } = await backchannel.ask(
      { type: "handshake1", handshakeVersion: HANDSHAKE_VERSION, vitae: clientVitae(config) },
      "shakehand1",
    );
    const served = tenants.flatMap((tenant) => {
      const registered = registrations.find(({ registeredId }) => registeredId === tenant.registration.id);
      if (registered === undefined) {
        log.error(
          { id: tenant.registration.id, tenant: tenant.name },
          `The server does not know registration ${tenant.registration.id}; register again`,
        );
        return [];
      }
      return [{ tenant, registered }];
    });
    const ports = new Set(served.map(({ registered }) => registered.registeredPort));
    connection.onForwarded = (forwarded) => {
      if (ports.has(forwarded.port)) acceptForwarded(forwarded, config.local, config.connectTimeout, log, noise);
      else forwarded.refuse("nobody serves this forward");
    };
    for (const { tenant, registered } of served) {
      await connection.forward(config.bindAddr, registered.registeredPort);
      writeEndpoint(folder, tenant.name, registered.endpoint);
    }
    options.onConnected(served.map(({ registered }) => registered));
  } catch (error) {
    connection.end();
    throw error;
  }
  return await connection.closed;
}

function unknownHere(config: ClientConfig, folder: string, cause: unknown): PetitError {
  return new PetitError(
    "login-refused",
    `The server ${config.host}:${config.port} does not know the key "${join(folder, "key")}"`,
    {
      hint: "Register again with a new join code from the server's operator",
      cause,
    },
  );
}
