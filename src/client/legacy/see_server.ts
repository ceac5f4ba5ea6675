import type { ClientConfig } from "../../config/schema.ts";
import { PetitError } from "../../error.ts";
import { sshSoftware } from "../../platform/version.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { isPetit } from "../../tunnel/petit_peer.ts";
import { connectSsh } from "../../tunnel/ssh_client.ts";

/** What an SSH server shows to whoever connects. */
export interface SeenServer {
  /** It has shown that it has the private half. */
  readonly hostKey: PublicKey;
  /** Whether it is a petit server's gateway. */
  readonly petit: boolean;
}

/** Ends the connection where it has served its purpose. */
class Seen extends PetitError {
  readonly server: SeenServer;
  constructor(server: SeenServer) {
    super("seen", "The server has shown its host key");
    this.server = server;
  }
}

/**
 * Looks at the SSH server of [client] host and port, without a login.
 * @param timeout milliseconds
 * @throws PetitError as `connectSsh`
 */
export async function seeServer(
  { host, port, serverAliveInterval, serverAliveCountMax, rekeyLimit, rekeyInterval }: ClientConfig,
  timeout: number,
  signal: AbortSignal,
): Promise<SeenServer> {
  try {
    const connection = await connectSsh({
      ...{ host, port, timeout, signal },
      user: "nobody",
      software: sshSoftware,
      verifyHost(hostKey, greeting) {
        throw new Seen({ hostKey, petit: isPetit(greeting) });
      },
      alive: { interval: serverAliveInterval, countMax: serverAliveCountMax },
      rekey: { rekeyLimit, rekeyInterval },
    });
    connection.end();
  } catch (error) {
    if (error instanceof Seen) return error.server;
    throw error;
  }
  throw new Error("an SSH connection came about without a host key");
}
