import { messageOf, PetitError } from "../error.ts";
import type { Registration } from "../registry/registry.ts";
import type { Channel } from "../tunnel/channel.ts";
import type { SshServerConnection } from "../tunnel/ssh_server.ts";
import { ChannelPool } from "./channel_pool.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/** A registration whose client is connected and has asked to be sent its callers. */
export class Served {
  readonly registration: Registration;
  readonly connection: SshServerConnection;
  /** The address and port of the forward, to the letter as the client asked for it. */
  readonly address: string;
  readonly port: number;
  readonly pool = new ChannelPool();
  /** False once the tunnel is gone. */
  alive = true;
  /** Address of the client. */
  readonly clientAddress: string;
  /** Since when it is served, in milliseconds since 1970. */
  readonly since = Date.now();
  readonly #upgraded = new Set<UpgradedConnection>();
  #draining = false;

  constructor(
    registration: Registration,
    connection: SshServerConnection,
    address: string,
    port: number,
    clientAddress: string,
  ) {
    this.registration = registration;
    this.connection = connection;
    this.address = address;
    this.port = port;
    this.clientAddress = clientAddress;
  }

  /** A caller's connection left HTTP for another protocol. */
  upgraded(connection: UpgradedConnection): void {
    this.#upgraded.add(connection);
    if (this.#draining) connection.drain();
  }

  upgradeOver(connection: UpgradedConnection): void {
    this.#upgraded.delete(connection);
  }

  /** Its client is about to stop: what would go on for days is ended, where its protocol has a way to. */
  drain(): void {
    this.#draining = true;
    for (const connection of this.#upgraded) connection.drain();
  }

  /**
   * Opens a channel to the service for a caller.
   *
   * @param timeout milliseconds
   * @throws PetitError `service-refused`, `open-timeout` or `tunnel-lost`
   */
  open(callerAddress: string, callerPort: number, timeout: number): Promise<Channel> {
    return new Promise((resolve, reject) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(new PetitError("open-timeout", "The client did not say in time whether it reaches its service"));
      }, timeout);
      this.connection.open(this.address, this.port, callerAddress, callerPort).then(
        (channel) => {
          clearTimeout(timer);
          if (late) channel.close();
          else resolve(channel);
        },
        (error) => {
          clearTimeout(timer);
          const code = this.alive ? "service-refused" : "tunnel-lost";
          reject(new PetitError(code, messageOf(error), { cause: error }));
        },
      );
    });
  }
}

/** Which registrations have a live tunnel. */
export class Tunnels {
  readonly #byId = new Map<string, Served>();

  of(id: string): Served | undefined {
    return this.#byId.get(id);
  }

  get size(): number {
    return this.#byId.size;
  }

  get all(): Iterable<Served> {
    return this.#byId.values();
  }

  add(served: Served): void {
    const before = this.#byId.get(served.registration.id);
    if (before !== undefined) this.#retire(before);
    this.#byId.set(served.registration.id, served);
  }

  /** Takes a registration away, unless another tunnel has taken it over already. */
  remove(served: Served): void {
    this.#retire(served);
    if (this.#byId.get(served.registration.id) === served) this.#byId.delete(served.registration.id);
  }

  #retire(served: Served): void {
    served.alive = false;
    served.pool.close();
  }
}
