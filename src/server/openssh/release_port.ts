import { PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import { listeningSockets } from "../../platform/listening_sockets.ts";
import { ownersOf } from "../../platform/socket_owner.ts";
import type { Registration } from "../../registry/registry.ts";
import { CAUSES } from "../../tunnel/disconnect_cause.ts";
import type { ProvenClient } from "./proven_client.ts";
import { processOf, type ProvenClients } from "./proven_clients.ts";
import { endSession, untilClosed } from "./end_session.ts";

/** Milliseconds for a client to end its tunnel that is told that another one has taken over. */
const LEAVES_WITHIN = 700;

export interface ReleaseParts {
  readonly clients: ProvenClients;
  readonly uid: number;
  readonly backPort: number;
  readonly log: Log;
  /** What is to be told as the cause when the tunnel of that registration ends. */
  willEnd(id: string, cause: string): void;
}

/**
 * The port belongs to the key: frees that of a registration for its client, which has come back while sshd still holds the port for an older
 * connection of it.
 *
 * @param by the client's backchannel
 * @throws PetitError `port-held` with the reason why it is not free
 */
export async function releasePort(registration: Registration, by: ProvenClient, parts: ReleaseParts): Promise<void> {
  const { clients, uid, log } = parts;
  const { id, port, fingerprint } = registration;
  const holders = listeningSockets().filter((socket) => socket.port === port);
  if (holders.length === 0) return;
  const uids = [uid, 0];
  const stranger = holders.find((socket) => !uids.includes(socket.uid));
  if (stranger !== undefined) {
    throw new PetitError(
      "port-held",
      `Another program of the server's machine (user ${stranger.uid}) listens on port ${port}`,
    );
  }
  const own = processOf(by, parts.backPort);
  if (own !== undefined && holders.some(({ inode }) => ownersOf(inode).some(({ pid }) => pid === own))) {
    throw new PetitError("port-held", `This very connection has port ${port} already`);
  }
  parts.willEnd(id, CAUSES.takenOver);
  const older = clients.ofKey(fingerprint).filter((client) => client !== by && client.tunnelId !== by.tunnelId);
  log.info({ id, port, key: fingerprint }, `${id} took over from its older tunnel`);
  for (const client of older) client.dismiss(CAUSES.takenOver);
  for (const { inode } of holders) {
    if (older.length > 0 && await untilClosed(inode, LEAVES_WITHIN)) continue;
    if (await endSession(inode, uids, own)) continue;
    log.warn(
      {
        code: "port-held",
        id,
        port,
        hint: "Set ClientAliveInterval and ClientAliveCountMax in sshd_config, so that sshd ends dead connections",
      },
      `Port ${port} of ${id} is held by an older connection to sshd, which this server may not end`,
    );
    throw new PetitError(
      "port-held",
      `The server's sshd still holds port ${port} for an older connection, which petit may not end: sshd does when ClientAliveInterval is set there`,
    );
  }
}
