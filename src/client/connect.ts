import { join } from "node:path";
import type { ClientConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { sshSoftware } from "../platform/version.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import { connectSsh, type SshClientConnection, type SshClientOptions } from "../tunnel/ssh_client.ts";
import { KnownHost } from "./known_host.ts";
import { FirstMeeting } from "./legacy/first_meeting.ts";
import { mayBePlain } from "./legacy/legacy_server.ts";
import { isElsewhere, serverPorts } from "./legacy/server_ports.ts";
import { ownKey } from "./state.ts";

export interface ConnectOptions {
  readonly signal: AbortSignal;
  /** Told of the key that the server shows, before that is compared. */
  onHostKey?(key: PublicKey): void;
  /** As of `connectSsh`. */
  readonly onWire?: SshClientOptions["onWire"];
  /** Told of the host key that is pinned with the first connection of a folder of 0.6.x (first_meeting.ts). Without it none is. */
  readonly log?: Pick<Log, "warn"> | undefined;
}

/**
 * Connects to the client's server with the client's own key.
 *
 * @param folder the folder with the key and the server's pinned host key
 * @throws PetitError as `connectSsh`; `login-refused` where the server does not know the key
 */
export async function connectWithKey(
  config: ClientConfig,
  folder: string,
  options: ConnectOptions,
): Promise<SshClientConnection> {
  const { privatePem } = ownKey(folder);
  let failure: unknown;
  for (const port of serverPorts(config, folder)) {
    try {
      return await connectAt({ ...config, port }, folder, privatePem, options);
    } catch (error) {
      // What is wrong at the place that the config names says more.
      failure ??= error;
      if (!isElsewhere(error)) break;
    }
  }
  throw failure;
}

async function connectAt(
  config: ClientConfig,
  folder: string,
  privateKey: string,
  { signal, onHostKey, onWire, log }: ConnectOptions,
): Promise<SshClientConnection> {
  const known = new KnownHost(folder);
  const { host, port } = config;
  const meeting = new FirstMeeting(folder, host, port);
  try {
    const connection = await connectSsh({
      ...{ host, port, privateKey, signal },
      user: config.username,
      software: sshSoftware,
      verifyHost(key, greeting) {
        onHostKey?.(key);
        if (!meeting.take(key, greeting)) known.check(host, port, key);
      },
      timeout: config.connectTimeout,
      alive: { interval: config.serverAliveInterval, countMax: config.serverAliveCountMax },
      rekey: config,
      ...(onWire === undefined ? {} : { onWire }),
    });
    if (log !== undefined) meeting.keep(log);
    return connection;
  } catch (error) {
    throw error instanceof PetitError && error.code === "login-refused" ? unknownHere(config, folder, error) : error;
  }
}

function unknownHere({ host, port, username }: ClientConfig, folder: string, cause: unknown): PetitError {
  if (mayBePlain(folder, host)) {
    const message = `The SSH server ${host}:${port} does not let "${username}" in with the key "${
      join(folder, "key")
    }"`;
    return new PetitError("login-refused", message, {
      hint:
        'Check [client] username: on a petit 0.6 server it is the user that petit-server runs as. If that is right, register again: "petit client register"',
      cause,
    });
  }
  return new PetitError("login-refused", `The server ${host}:${port} does not know the key "${join(folder, "key")}"`, {
    hint: "Register again with a new join code from the server's operator",
    cause,
  });
}
