import type { ClientConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { OpenSet } from "../platform/open_set.ts";
import { within } from "../platform/within.ts";
import type { IncomingOpen, Link } from "../tunnel/link.ts";
import {
  HANDSHAKE_VERSION,
  HOST_KEYS_TOLD,
  type Registered,
  type ServerMessage,
  type ServerVitae,
} from "../tunnel/messages.ts";
import type { SshClientConnection, SshClientOptions } from "../tunnel/ssh_client.ts";
import { askForward } from "./ask_forward.ts";
import { openBackchannel } from "./backchannel.ts";
import type { BackchannelEnd, Notice } from "./backchannel_end.ts";
import type { ClientFigures } from "./client_figures.ts";
import { connectWithKey } from "./connect.ts";
import type { DisconnectHistory } from "./disconnect_history.ts";
import { keepHostKeys } from "./keep_host_keys.ts";
import { KnownHost } from "./known_host.ts";
import { unlessIntercepted } from "./legacy/intercept.ts";
import type { Closed } from "./gate.ts";
import type { Inbound } from "./inbound.ts";
import { probeWishes } from "./probe_wishes.ts";
import { writeEndpoint } from "./state.ts";
import type { ClientEvidence } from "./tenant_lights.ts";
import type { RegisteredTenant } from "./tenants.ts";
import { clientVitae } from "./vitae.ts";

export interface TunnelParts {
  /** Read anew for each connection: a reload changes it. */
  readonly config: ClientConfig;
  /** The folder with the key and the tenants. */
  readonly folder: string;
  readonly log: Log;
  readonly noise: OnceAMinute;
  readonly figures: ClientFigures;
  /** How tunnels before this one ended. */
  readonly history: DisconnectHistory;
  readonly evidence: ClientEvidence;
  /** Who is let in. */
  readonly inbound: Inbound;
  readonly signal: AbortSignal;
}

/** Milliseconds for the server to hear that a forward is taken back. */
const WITHDRAWN_WITHIN = 5000;

/** A tenant whose callers come through the tunnel. */
interface Carried {
  /** Changed by a reload. */
  tenant: RegisteredTenant;
  /** The address of the forward, to the letter as it was asked for. */
  readonly address: string;
  readonly log: Log;
}

/** One live SSH connection to the server, which carries all tenants of this client: one remote forward each. */
export class Tunnel {
  /** In milliseconds since 1970. */
  readonly since = Date.now();
  readonly #begun = performance.now();
  /** "HOST:PORT" of the server. */
  readonly server: string;
  /** The name that both ends have for it. */
  readonly id: string;
  /** Settles when the connection is gone, with the reason in words. */
  readonly closed: Promise<string>;
  readonly #parts: TunnelParts;
  readonly #connection: SshClientConnection;
  readonly #backchannel: BackchannelEnd;
  /** Fingerprints of the host keys that its server may show. */
  readonly #pinned: () => string[];
  /** By reverse port. */
  readonly #carried = new Map<number, Carried>();
  /** All that were asked for last, those too that nobody is let in to. */
  #tenants: readonly RegisteredTenant[] = [];
  readonly #callers = new OpenSet<IncomingOpen>();
  /** Whether a tenant has to wait for another connection: sshd lets one have the ports only that its key had at login (sshd(8), permitlisten). */
  outdated = false;
  /** Whether the forward of a tenant was refused when it was asked for last. */
  refuses = false;
  /** Told what the server says unasked. */
  onNotice: (notice: Notice) => void = () => {};
  /** Ids of the registrations that its key had when it logged in. */
  #atLogin: ReadonlySet<string> | undefined;
  #serverVitae: ServerVitae | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #verifying: Promise<void> | undefined;
  #ended: string | undefined;
  /** It takes no more callers. */
  #leaves = false;

  private constructor(parts: TunnelParts, connection: SshClientConnection, backchannel: BackchannelEnd) {
    const { host, port } = connection.server;
    this.server = `${host}:${port}`;
    this.id = connection.tunnelId;
    this.#parts = parts;
    this.#connection = connection;
    this.#backchannel = backchannel;
    this.closed = connection.closed.then((cause) => this.#ended ?? cause);
    connection.onForwarded = (forwarded) => this.#accept(forwarded);
    connection.onUnasked = (forwarded) => parts.inbound.refuse(forwarded, this, "");
    backchannel.onNotice = (notice) => this.onNotice(notice);
    backchannel.onLost = (cause) => this.#lost(cause);
    // One that is a connection of its own.
    void connection.closed.then(() => backchannel.close());
    // The server is told of it, so that its operator sees when all clients know the next key.
    const onPinned = () => void this.verify().catch(() => {});
    const { folder, log, noise } = parts;
    const known = new KnownHost(folder);
    this.#pinned = () => known.of(host, port).slice(0, HOST_KEYS_TOLD);
    keepHostKeys(connection, { host, port, known, log, noise, onPinned });
  }

  /** Connects; nothing is carried yet. @param onWire as of `connectSsh` @throws PetitError where it does not come about */
  static async open(parts: TunnelParts, onWire?: SshClientOptions["onWire"]): Promise<Tunnel> {
    const { config, folder, log, signal } = parts;
    const connection = await connectWithKey(config, folder, {
      signal,
      log,
      ...(onWire === undefined ? {} : { onWire }),
    });
    try {
      return new Tunnel(parts, connection, await openBackchannel(connection, { config, folder, log, holds: true }));
    } catch (error) {
      connection.end();
      throw error;
    }
  }

  /** What carries it. */
  get link(): Link {
    return this.#connection.link;
  }

  /** Whether the connection stands. */
  get alive(): boolean {
    return this.link.wire.writable;
  }

  /** What the server told of itself; null before the first `serve`. */
  get serverVitae(): ServerVitae | null {
    return this.#serverVitae;
  }

  /** For how many milliseconds it has stood. */
  get lasted(): number {
    return Math.round(performance.now() - this.#begun);
  }

  /** For how many milliseconds nothing has come through it. */
  get silent(): number {
    return this.#connection.silent;
  }

  /** The address of this machine that it goes out from; undefined where it is gone. */
  get localAddress(): string | undefined {
    return this.#connection.localAddress;
  }

  /** How many connections of callers are open in it. */
  get callers(): number {
    return this.#callers.size;
  }

  /** Names of the tenants whose callers come through it. */
  get served(): ReadonlySet<string> {
    return new Set([...this.#carried.values()].map(({ tenant }) => tenant.name));
  }

  /** Ids of their registrations. */
  get ids(): string[] {
    return [...this.#carried.values()].map(({ tenant }) => tenant.registration.id);
  }

  /**
   * Makes the tunnel carry these tenants and no others. Those that it carries already stay as they are, but for their service; connections
   * that are open go on in any case.
   *
   * @returns the registrations that it carries now and did not before
   * @throws PetitError where the server does not answer, or refuses every one of them
   */
  serve(tenants: readonly RegisteredTenant[]): Promise<Registered[]> {
    const turn = this.#turn.then(() => this.#serve(tenants));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Asks the server which registrations it knows, and carries no others any more. @throws PetitError as `Backchannel.ask` */
  verify(): Promise<void> {
    if (this.#verifying === undefined) {
      this.#verifying = this.#turn.then(() => this.#verify()).finally(() => this.#verifying = undefined);
      this.#turn = this.#verifying.catch(() => {});
    }
    return this.#verifying;
  }

  /** Takes no more callers; settles when the server has heard it. */
  async withdraw(): Promise<void> {
    this.#leaves = true;
    await Promise.all([...this.#carried].map(([port, carried]) => this.#withdraw(port, carried)));
  }

  /** The same; settles when those that are there have left. */
  async drain(): Promise<void> {
    await this.withdraw();
    await this.#callers.empty();
  }

  /** Ends the connection; `closed` tells why. */
  end(why: string): void {
    this.#ended ??= why;
    this.#connection.end(why);
  }

  /** Asks the server for a sign of life. @returns milliseconds */
  async ping(): Promise<number> {
    const begun = performance.now();
    await this.#backchannel.ask({ type: "ping1" }, "didPing1");
    const now = performance.now();
    // What came beside the connection says nothing of it.
    if (!this.#backchannel.legacy) this.link.answered = now;
    return now - begun;
  }

  /** Has the server take the way of a caller's connection, to the service and not further. */
  async probe(id: string): Promise<ServerMessage & { type: "didProbe1" }> {
    if (this.#backchannel.legacy) return await this.#backchannel.ask({ type: "probe1", registeredId: id }, "didProbe1");
    // On a backchannel of its own: a service that does not answer would keep all other questions waiting.
    const { config, folder } = this.#parts;
    const backchannel = await openBackchannel(this.#connection, { config, folder, holds: false });
    try {
      return await backchannel.ask({ type: "probe1", registeredId: id }, "didProbe1");
    } finally {
      backchannel.close();
    }
  }

  /** Takes a registration away. @throws PetitError `registration-unknown` and as `Backchannel.ask` */
  async unregister(id: string): Promise<void> {
    await this.#backchannel.ask(
      { type: "unregister1", handshakeVersion: HANDSHAKE_VERSION, registeredId: id },
      "didUnregister1",
    );
  }

  #accept(forwarded: IncomingOpen): void {
    const { inbound } = this.#parts;
    const carried = this.#carried.get(forwarded.port);
    if (carried === undefined) return inbound.refuse(forwarded, this, "nobody serves this forward");
    const { tenant: { name }, log } = carried;
    const accept = (one: IncomingOpen) => {
      this.#callers.add(one);
      inbound.accept(one, name, this, log, () => this.#callers.delete(one));
    };
    // Other servers have better means than an answer in place of the service's.
    if (!this.#backchannel.legacy || inbound.gate.closed(carried.tenant) !== undefined) return accept(forwarded);
    unlessIntercepted(forwarded, accept, () => inbound.answered(forwarded, name, this));
  }

  /** The server has given this client up. What is left by then may still go on: a successor has taken its place. */
  #lost(cause: string): void {
    if (!this.#leaves) this.end(cause);
  }

  /** Why nobody is let in to these tenants, by id of the registration, for the server to tell callers. */
  #closed(): Record<string, Closed["code"]> {
    const { gate } = this.#parts.inbound;
    return Object.fromEntries(this.#tenants.flatMap((tenant) => {
      const closed = gate.closed(tenant);
      return closed === undefined ? [] : [[tenant.registration.id, closed.code]];
    }));
  }

  /** What the server knows of this client's registrations. */
  async #known(tenants: readonly RegisteredTenant[]): Promise<Registered[]> {
    const { config, history, evidence } = this.#parts;
    const disconnects = history.untold(this.server);
    const { registrations, vitae, unwell } = await this.#backchannel.ask(
      {
        type: "handshake1",
        handshakeVersion: HANDSHAKE_VERSION,
        vitae: clientVitae(config),
        disconnects,
        services: probeWishes(tenants),
        hostKeys: this.#pinned(),
        closed: this.#closed(),
        tunnel: this.id,
      },
      "shakehand1",
    );
    history.told(disconnects);
    const now = performance.now();
    if (!this.#backchannel.legacy) this.link.answered = now;
    for (const { name, registration: { id } } of tenants) {
      const found = unwell?.[id];
      if (found === undefined) evidence.of(name).forgetProbe();
      else evidence.of(name).failed(now - found.ago, found.code, found.error, "probe", true);
    }
    this.#serverVitae = vitae;
    return registrations;
  }

  async #verify(): Promise<void> {
    const carried = [...this.#carried.values()].map(({ tenant }) => tenant);
    const known = new Set((await this.#known(carried)).map(({ registeredId }) => registeredId));
    for (const [port, carried] of this.#carried) {
      const { name, registration: { id } } = carried.tenant;
      if (known.has(id)) continue;
      this.#parts.log.error(
        { id, tenant: name },
        `The server does not know registration ${id} any more; register again`,
      );
      await this.#withdraw(port, carried);
    }
  }

  async #serve(tenants: readonly RegisteredTenant[]): Promise<Registered[]> {
    const { config, log, inbound: { gate } } = this.#parts;
    this.#tenants = tenants;
    this.#leaves = false;
    const registrations = await this.#known(tenants);
    const atLogin = this.#atLogin ??= new Set(registrations.map(({ registeredId }) => registeredId));
    const wanted = tenants.filter((tenant) => gate.closed(tenant) === undefined).flatMap((tenant) => {
      const { id } = tenant.registration;
      const registered = registrations.find(({ registeredId }) => registeredId === id);
      if (registered !== undefined) return [{ tenant, registered }];
      log.error({ id, tenant: tenant.name }, `The server does not know registration ${id}; register again`);
      return [];
    });
    for (const [port, carried] of this.#carried) {
      const stays = wanted.some(({ registered }) => registered.registeredPort === port);
      if (!stays || carried.address !== config.bindAddr) await this.#withdraw(port, carried);
      if (!stays) carried.log.info({ port }, `The tenant "${carried.tenant.name}" is served no longer`);
    }
    const added: Registered[] = [];
    let failure: unknown;
    for (const { tenant, registered } of wanted) {
      this.#keepEndpoint(tenant, registered);
      const before = this.#carried.get(registered.registeredPort);
      if (before !== undefined) {
        before.tenant = tenant;
        continue;
      }
      if (this.#backchannel.throughSshd && !atLogin.has(registered.registeredId)) {
        this.outdated = true;
        continue;
      }
      try {
        await this.#forward(tenant, registered);
        added.push(registered);
      } catch (error) {
        failure ??= error;
        const { code, hint } = error as PetitError;
        log.error({ id: registered.registeredId, tenant: tenant.name, code, hint }, messageOf(error));
      }
    }
    this.refuses = failure !== undefined;
    if (failure !== undefined && this.#carried.size === 0) throw failure;
    return added;
  }

  async #forward(tenant: RegisteredTenant, { registeredId: id, registeredPort: port }: Registered): Promise<void> {
    const { config, log } = this.#parts;
    const carried: Carried = { tenant, address: config.bindAddr, log: log.child({ id, tenant: tenant.name }) };
    // Before the answer: the first caller may come with it.
    this.#carried.set(port, carried);
    try {
      const [connection, backchannel] = [this.#connection, this.#backchannel];
      await askForward({ connection, backchannel }, { id, port, address: carried.address });
    } catch (error) {
      this.#carried.delete(port);
      throw error;
    }
  }

  async #withdraw(port: number, carried: Carried): Promise<void> {
    // A server that does not answer keeps nothing open: its connections are refused from here on.
    await within(WITHDRAWN_WITHIN, this.#connection.cancelForward(carried.address, port));
    if (this.#carried.get(port) === carried) this.#carried.delete(port);
  }

  /** A file that people read, and nothing that a tunnel should fail of. */
  #keepEndpoint({ name }: RegisteredTenant, { registeredId: id, endpoint }: Registered): void {
    try {
      writeEndpoint(this.#parts.folder, name, endpoint);
    } catch (error) {
      this.#parts.log.warn({ id, tenant: name, code: (error as PetitError).code }, messageOf(error));
    }
  }
}
