import type { Server as NetServer } from "node:net";
import { withLegacy } from "../config/ssh_algorithms.ts";
import { sshSoftware } from "../platform/version.ts";
import { createSshServer, type SshServer, type SshServerConnection } from "../tunnel/ssh_server.ts";
import { GatewayPeer } from "./gateway_peer.ts";
import type { GatewayParts } from "./gateway_parts.ts";
import type { HostKey } from "./host_key/host_key.ts";
import { legacyHostKey } from "./host_key/legacy_host_key.ts";

/** The server's SSH side door: who may log in, and what a client may do then. Everything not named here is refused. */
export class Gateway {
  readonly listener: NetServer;
  readonly #wires: SshServer["wires"];
  readonly #connections = new Map<SshServerConnection, GatewayPeer>();

  constructor(parts: GatewayParts) {
    const { hostKeys, config: { ssh, legacyBackchannel } } = parts;
    const legacy = legacyBackchannel ? legacyHostKey(ssh.hostKey) : undefined;
    const shown = () => {
      const { current } = hostKeys;
      // The library has room for one key of a type.
      const isSame = legacy === undefined || typeOf(legacy) === typeOf(current);
      return isSame ? [current.privatePem] : [current.privatePem, legacy.privatePem];
    };
    const server = createSshServer({
      hostKeys: shown(),
      software: sshSoftware,
      loginGraceTime: ssh.loginGraceTime,
      isFull: (connections) => {
        const { maxTunnels } = parts.config.ssh;
        if (connections < maxTunnels && parts.files.hasOneForClient) return false;
        const most = connections >= maxTunnels
          ? "as many as [server.ssh] maxTunnels allows"
          : `and this process may have only ${parts.files.limit} files open`;
        const why = `${connections} connections of clients are open, ${most}`;
        parts.noise.tell("tunnels-full", (repeated) => parts.log.warn({ code: "tunnels-full", repeated }, why));
        return true;
      },
      rekey: ssh,
      algorithms: () => legacyBackchannel ? withLegacy(ssh) : ssh,
      alive: { interval: ssh.clientAliveInterval, countMax: ssh.clientAliveCountMax },
      peer: (address, drop) => {
        const startup = parts.guard.admit(address, () => drop("others needed its place"));
        return startup && new GatewayPeer(parts, this.#connections, address, startup);
      },
    });
    this.listener = server.listener;
    this.#wires = server.wires;
    parts.files.count(() => server.wires.size);
    hostKeys.onChanged = (announce) => {
      server.useHostKeys(shown());
      if (!announce) return;
      for (const peer of this.#connections.values()) peer.announceHostKeys();
    };
  }

  /** Ends every connection: with a word to those that are logged in, without one to all others. */
  end(cause: string): void {
    const loggedIn = new Set([...this.#connections.keys()].map(({ link }) => link.wire));
    for (const [connection, peer] of this.#connections) {
      connection.end(cause);
      // A client that takes its time to leave is on record before the record is closed.
      peer.closed(cause, connection.link.wire.greeting);
    }
    for (const wire of this.#wires) if (!loggedIn.has(wire)) wire.destroy();
  }

  /**
   * Tells all clients that this process is about to end, each with a time of its own for coming back: those that are busy first.
   *
   * @param successor whether another process takes their connections already
   * @returns milliseconds until the last of them is to have begun
   */
  dismiss(successor: boolean): number {
    const clients = [...this.#connections].filter(([, peer]) => peer.isTold)
      .sort(([one], [other]) => other.link.channels - one.link.channels);
    for (const [index, [, peer]] of clients.entries()) peer.dismiss(index * BETWEEN_CLIENTS, successor);
    return clients.length * BETWEEN_CLIENTS;
  }

  /** Takes a registration that is gone off its tunnel, which ends with the last one that it carries. */
  drop(id: string): void {
    for (const peer of this.#connections.values()) peer.drop(id);
  }
}

/** Milliseconds between two clients that come back after a restart: a login costs about as much. */
const BETWEEN_CLIENTS = 1;

/** Such as "ssh-ed25519". */
function typeOf({ publicKey: { line } }: Pick<HostKey, "publicKey">): string {
  return line.slice(0, line.indexOf(" "));
}
