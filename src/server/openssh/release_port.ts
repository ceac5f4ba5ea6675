import { PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import { type ListeningSocket, listeningSockets } from "../../platform/listening_sockets.ts";
import { ownersOfAll, type SocketOwner } from "../../platform/socket_owner.ts";
import type { Registration } from "../../registry/registry.ts";
import { CAUSES } from "../../tunnel/disconnect_cause.ts";
import type { ProvenClient } from "./proven_client.ts";
import { processOf, type ProvenClients } from "./proven_clients.ts";
import { endSession, untilClosed } from "./end_session.ts";
import type { ReservedPorts } from "./reserved_ports.ts";
import { isForeign } from "./sshd_session.ts";

/** Milliseconds for a client to end its tunnel that is told that another one has taken over. */
const LEAVES_WITHIN = 700;

export interface ReleaseParts {
  readonly clients: ProvenClients;
  readonly uid: number;
  readonly backPort: number;
  readonly reserved: ReservedPorts;
  readonly log: Log;
  readonly noise: OnceAMinute;
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
  const { clients, uid, reserved } = parts;
  const { port, fingerprint } = registration;
  if (reserved.has(port)) {
    throw new PetitError("port-held", `Port ${port} is one of the server's own, and cannot be a client's`);
  }
  const holders = listeningSockets().filter((socket) => socket.port === port);
  if (holders.length === 0) return;
  const owners = ownersOfAll(holders.map(({ inode }) => inode));
  const stranger = holders.find((socket) => socket.uid !== uid || isForeign(owners.get(socket.inode)));
  if (stranger !== undefined) {
    throw new PetitError(
      "port-held",
      `Another program of the server's machine (user ${stranger.uid}) listens on port ${port}`,
    );
  }
  const own = processOf(by, parts.backPort);
  if (own !== undefined && [...owners.values()].flat().some(({ pid }) => pid === own)) {
    throw new PetitError("port-held", `This very connection has port ${port} already`);
  }
  const older = clients.ofKey(fingerprint).filter((client) => client !== by && client.tunnelId !== by.tunnelId);
  for (const client of older) client.dismiss(CAUSES.takenOver);
  await endHolders(registration, holders, { spared: own, leaves: older.length > 0, owners }, parts);
}

/**
 * The same for all registrations of a client of 0.6.x that has proven its key and has asked sshd for nothing yet: it does so when it is answered,
 * and takes a refusal for a reason to unregister, and to begin anew with another key. What another program than sshd listens on is left alone.
 *
 * @param leaves whether an older client has been told to go
 * @throws PetitError `port-held` where it would be refused
 */
export async function releasePorts(
  registrations: readonly Registration[],
  leaves: boolean,
  parts: ReleaseParts,
): Promise<void> {
  const { clients, uid, reserved } = parts;
  const sockets = listeningSockets().filter((socket) => socket.uid === uid && !reserved.has(socket.port));
  const ports = new Set(registrations.map(({ port }) => port));
  const ours = sockets.filter(({ port }) => ports.has(port));
  const owners = ownersOfAll(ours.map(({ inode }) => inode));
  const held = registrations.map((registration) => ({
    registration,
    holders: ours.filter(({ port, inode }) => port === registration.port && !isForeign(owners.get(inode))),
  })).filter(({ holders }) => holders.length > 0);
  const [first] = held;
  if (first === undefined) return;
  // One that has been upgraded since, and is there at the same time.
  const newer = clients.ofKey(first.registration.fingerprint);
  for (const client of newer) client.dismiss(CAUSES.takenOver);
  const older = { spared: undefined, leaves: leaves || newer.length > 0, owners };
  await Promise.all(held.map(({ registration, holders }) => endHolders(registration, holders, older, parts)));
}

/** Ends the sessions of sshd that hold a port. @throws PetitError `port-held` where this process may not */
async function endHolders(
  { id, port, fingerprint }: Registration,
  holders: readonly ListeningSocket[],
  older: {
    readonly spared: number | undefined;
    readonly leaves: boolean;
    readonly owners: ReadonlyMap<number, readonly SocketOwner[]>;
  },
  { uid, log, noise, willEnd }: ReleaseParts,
): Promise<void> {
  willEnd(id, CAUSES.takenOver);
  for (const { inode } of holders) {
    if (older.leaves && await untilClosed(inode, LEAVES_WITHIN)) continue;
    if (await endSession(inode, uid, older.spared, older.owners.get(inode) ?? [])) continue;
    noise.tell(`port-held ${id}`, (repeated) =>
      log.warn(
        {
          code: "port-held",
          id,
          port,
          repeated,
          hint: "Set ClientAliveInterval and ClientAliveCountMax in sshd_config, so that sshd ends dead connections",
        },
        `Port ${port} of ${id} is held by an older connection to sshd, which this server may not end`,
      ));
    throw new PetitError(
      "port-held",
      `The server's sshd still holds port ${port} for an older connection, which petit may not end: sshd does when ClientAliveInterval is set there`,
    );
  }
  noise.tell(
    `took-over ${id}`,
    (repeated) => log.info({ id, port, key: fingerprint, repeated }, `${id} took over from its older tunnel`),
  );
}
