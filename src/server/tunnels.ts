import { messageOf, PetitError } from "../error.ts";
import type { Registration } from "../registry/registry.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import type { ClosedCode, ProbeWish } from "../tunnel/messages.ts";
import { isLegacyPetit } from "../tunnel/petit_peer.ts";
import { ServiceEvidence, type Visitor } from "../tunnel/service_evidence.ts";
import { ChannelPool } from "./channel_pool.ts";
import type { TunnelConnection } from "./tunnel_connection.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/** What one client may ask of the server at the same time; read anew each time. */
export interface TunnelLimits {
  /** Channels that are open or being opened in one tunnel. */
  readonly maxChannels: number;
  /** Channels that its client has not accepted or refused yet. */
  readonly maxPendingOpens: number;
}

/** What is left of a limit for those who may use a part of it; a small limit is not divided. */
export function partOf(limit: number, share: number): number {
  return limit - Math.floor(limit * (1 - share));
}

const OPEN_TIMEOUT = "The client did not say in time whether it reaches its service";

/** A registration whose client is connected and has asked to be sent its callers. */
export class Served {
  readonly registration: Registration;
  readonly connection: TunnelConnection;
  /** The address and port of the forward, to the letter as the client asked for it. */
  readonly address: string;
  readonly port: number;
  readonly pool = new ChannelPool();
  /** False once nobody is to be sent there any more. */
  alive = true;
  /** What became of the last connections to the service. */
  readonly #evidence = new ServiceEvidence();
  /** Address of the client. */
  readonly clientAddress: string;
  /** Since when it is served, in milliseconds since 1970. */
  readonly since = Date.now();
  readonly #limits: TunnelLimits;
  readonly #upgraded = new Set<UpgradedConnection>();
  #draining = false;

  constructor(
    registration: Registration,
    connection: TunnelConnection,
    address: string,
    port: number,
    clientAddress: string,
    limits: TunnelLimits,
  ) {
    this.registration = registration;
    this.connection = connection;
    this.address = address;
    this.port = port;
    this.clientAddress = clientAddress;
    this.#limits = limits;
  }

  /** Whether the connection itself is gone, with all that was in it. */
  get lost(): boolean {
    return !this.connection.link.wire.writable;
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

  /** Whether its client accepts a channel before it has reached the service, so that an open channel says nothing of it. */
  get opensBlindly(): boolean {
    return !this.connection.opensAtService || isLegacyPetit(this.connection.link.wire.greeting);
  }

  /**
   * A request got no answer: where its client opens channels blindly, that may be because the service was not reached.
   *
   * @returns what is known of it, in words; undefined where nothing is
   */
  unanswered(): string | undefined {
    if (!this.opensBlindly) return undefined;
    const who = this.connection.opensAtService ? "a client of petit 0.6" : "sshd";
    const why = `It closed the connection without an answer, or does not accept any: ${who} does not say which`;
    if (this.alive && !this.lost) this.#evidence.failed(performance.now(), "service-closed", why, "caller");
    return why;
  }

  get evidence(): ServiceEvidence {
    this.#evidence.answered(this.pool.lastUsed);
    return this.#evidence;
  }

  /** Whether another channel may be opened. @param share what part of the limits may be used up */
  hasRoom(share = 1): boolean {
    const { maxChannels, maxPendingOpens } = this.#limits;
    const { link, opening } = this.connection;
    return link.channels < partOf(maxChannels, share) && opening < partOf(maxPendingOpens, share);
  }

  /**
   * Opens a channel to the service for a caller.
   *
   * @param timeout milliseconds
   * @param by a probe tells itself what it found
   * @param share what part of the limits it may use up
   * @throws PetitError `service-refused`, `open-timeout`, `tunnel-lost` (nothing was sent to the service), or `tunnel-busy`
   */
  open(
    callerAddress: string,
    callerPort: number,
    timeout: number,
    by: Visitor = "caller",
    share = 1,
  ): Promise<DuplexChannel> {
    const { connection } = this;
    if (!this.hasRoom(share)) {
      return Promise.reject(
        new PetitError(
          "tunnel-busy",
          connection.opening >= partOf(this.#limits.maxPendingOpens, share)
            ? `${connection.opening} channels wait for the client already`
            : `${connection.link.channels} channels are open already`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const begun = performance.now();
      const evidence = this.#evidence;
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        if (by === "caller") evidence.failed(performance.now(), "open-timeout", OPEN_TIMEOUT, by);
        reject(new PetitError("open-timeout", OPEN_TIMEOUT));
      }, timeout);
      connection.open(this.address, this.port, callerAddress, callerPort).then(
        (channel) => {
          clearTimeout(timer);
          const reached = () => {
            const now = performance.now();
            evidence.reached(now, now - begun, "caller");
          };
          if (by === "caller") {
            if (this.opensBlindly) channel.onFirst = reached;
            else reached();
          }
          if (late) channel.close();
          else resolve(channel);
        },
        (error) => {
          clearTimeout(timer);
          const code = this.alive && !this.lost ? "service-refused" : "tunnel-lost";
          if (code === "service-refused" && by === "caller") {
            evidence.failed(performance.now(), code, messageOf(error), by);
          }
          reject(new PetitError(code, messageOf(error), { cause: error }));
        },
      );
    });
  }
}

/** What is known of the last tunnel of a registration whose client is away. Moments are milliseconds of `performance.now()`. */
export interface Away {
  readonly since: number;
  cause: string;
  /** When bytes came last, when something came back last, and when the service was reached last. */
  readonly heard: number;
  readonly answered: number;
  readonly reached: number;
}

/** A registration that its client lets nobody in to. */
export interface ClosedByClient {
  readonly by: {
    readonly link: { readonly answered: number; readonly wire: Pick<TunnelConnection["link"]["wire"], "lastReceived"> };
  };
  readonly code: ClosedCode;
}

/** Which registrations have a live tunnel. */
export class Tunnels {
  readonly #byId = new Map<string, Served>();
  /** Told of each registration that is served now and was not a moment ago, or by another tunnel. */
  onServed: (served: Served) => void = () => {};
  readonly #away = new Map<string, Away>();
  readonly #wishes = new Map<string, ProbeWish>();
  readonly #closed = new Map<string, ClosedByClient>();

  /** Undefined where there is none, or where its connection is gone and only has not been taken away yet. */
  of(id: string): Served | undefined {
    const served = this.#byId.get(id);
    return served === undefined || served.lost ? undefined : served;
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
    this.#away.delete(served.registration.id);
    this.#closed.delete(served.registration.id);
    this.onServed(served);
  }

  /** Takes a registration away, unless another tunnel has taken it over already. */
  remove(served: Served): void {
    this.#retire(served);
    const { registration: { id }, connection: { link }, evidence } = served;
    if (this.#byId.get(id) !== served) return;
    this.#byId.delete(id);
    this.#away.set(id, {
      since: performance.now(),
      cause: "The client takes no more callers",
      heard: link.wire.lastReceived,
      answered: link.answered,
      reached: evidence.reachedAt,
    });
  }

  /** What is known of the last tunnel; undefined where there is one now, or never was. */
  awayOf(id: string): Away | undefined {
    return this.#away.get(id);
  }

  /** Why the last tunnel of these registrations ended. */
  ended(ids: readonly string[], cause: string): void {
    for (const id of ids) {
      const away = this.#away.get(id);
      if (away !== undefined) away.cause = `The tunnel ended: ${cause}`;
    }
  }

  /** How its client wants a service to be probed; undefined where it has not said. */
  wishOf(id: string): ProbeWish | undefined {
    return this.#wishes.get(id);
  }

  wish(id: string, wish: ProbeWish): void {
    if (this.#wishes.get(id)?.probe !== wish.probe) this.#byId.get(id)?.evidence.forgetProbe();
    this.#wishes.set(id, wish);
  }

  /** Why its client lets nobody in to a registration; undefined where it does, or has not said. */
  closedOf(id: string): ClosedByClient | undefined {
    return this.#closed.get(id);
  }

  /**
   * A client has said which of its registrations it lets nobody in to. That is for callers to know, and keeps nobody out here.
   *
   * @param by its connection, whose word it is as long as it stands
   * @returns those that are closed now and were not before
   */
  close(by: ClosedByClient["by"], codes: ReadonlyMap<string, ClosedCode>): string[] {
    for (const [id, closed] of this.#closed) if (closed.by === by && !codes.has(id)) this.#closed.delete(id);
    const news = [...codes.keys()].filter((id) => !this.#closed.has(id));
    for (const [id, code] of codes) this.#closed.set(id, { by, code });
    return news;
  }

  /** Forgets a registration that is gone. */
  forget(id: string): void {
    this.#closed.delete(id);
    this.#away.delete(id);
    this.#wishes.delete(id);
  }

  #retire(served: Served): void {
    served.alive = false;
    served.pool.close();
  }
}
