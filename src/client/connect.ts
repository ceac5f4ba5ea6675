import { join } from "node:path";
import type { ClientConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import { sshSoftware } from "../platform/version.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import { connectSsh, type SshClientConnection, type SshClientOptions } from "../tunnel/ssh_client.ts";
import { KnownHost } from "./known_host.ts";
import { ownKey } from "./state.ts";

/**
 * Connects to the client's server with the client's own key.
 *
 * @param folder the folder with the key and the server's pinned host key
 * @param onHostKey told of the key that the server shows, before that is compared
 * @param onWire as of `connectSsh`
 * @throws PetitError as `connectSsh`; `login-refused` where the server does not know the key
 */
export async function connectWithKey(
  config: ClientConfig,
  folder: string,
  signal: AbortSignal,
  onHostKey: (key: PublicKey) => void = () => {},
  onWire?: SshClientOptions["onWire"],
): Promise<SshClientConnection> {
  const known = new KnownHost(folder);
  const { host, port } = config;
  try {
    return await connectSsh({
      host,
      port,
      user: config.username,
      privateKey: ownKey(folder).privatePem,
      software: sshSoftware,
      verifyHost(key) {
        onHostKey(key);
        known.check(host, port, key);
      },
      timeout: config.connectTimeout,
      alive: { interval: config.serverAliveInterval, countMax: config.serverAliveCountMax },
      rekey: config,
      signal,
      ...(onWire === undefined ? {} : { onWire }),
    });
  } catch (error) {
    throw error instanceof PetitError && error.code === "login-refused" ? unknownHere(config, folder, error) : error;
  }
}

function unknownHere({ host, port }: ClientConfig, folder: string, cause: unknown): PetitError {
  return new PetitError("login-refused", `The server ${host}:${port} does not know the key "${join(folder, "key")}"`, {
    hint: "Register again with a new join code from the server's operator",
    cause,
  });
}
