import { messageOf, type PetitError } from "../error.ts";
import type { Registration } from "../registry/registry.ts";
import type { Channel } from "../tunnel/channel.ts";
import { CAUSES } from "../tunnel/disconnect_cause.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import { encodeMessage } from "../tunnel/message_stream.ts";
import { BACKCHANNEL, type ClosedCode, JOIN_USER, type ServerMessage } from "../tunnel/messages.ts";
import { isLegacyPetit, isPetit, softwareOf } from "../tunnel/petit_peer.ts";
import type { GrantedForward, LoginAttempt, LoginVerdict, SshPeer, SshServerConnection } from "../tunnel/ssh_server.ts";
import type { Session } from "../tunnel/session.ts";
import { ClientLogin } from "./login/client_login.ts";
import { type AskedForward, askedRegistration, whyRefused } from "./asked_forward.ts";
import type { GatewayParts } from "./gateway_parts.ts";
import { MAX_BACKCHANNELS } from "./key_backchannels.ts";
import { isOldClient } from "./legacy/old_clients.ts";
import type { Startup } from "./login/login_guard.ts";
import { type ClientConnection, GatewayClient } from "./ssh_commands/gateway_client.ts";
import { Served } from "./tunnels.ts";

/** Longest address to bind, in characters: that of a host name. */
const MAX_ADDRESS = 255;

/** The rules for one connection. Permission is asked again for every forward and every channel. */
export class GatewayPeer implements SshPeer, ClientConnection {
  readonly #parts: GatewayParts;
  readonly #connections: Map<SshServerConnection, GatewayPeer>;
  readonly address: string;
  readonly #startup: Startup;
  readonly #login: ClientLogin;
  readonly #client: GatewayClient;
  readonly #begun = performance.now();
  #connection: SshServerConnection | undefined;
  #announced = false;
  #guardTold = false;
  /** The backchannel on which its client has introduced itself. */
  #backchannel: Channel | undefined;
  readonly #backchannels = new Set<Channel>();
  readonly #served = new Map<string, Served>();
  /** What its client has taken back since it asked for a forward last: all of it, when the client stops in order. */
  readonly #leaving = new Set<string>();

  constructor(
    parts: GatewayParts,
    connections: Map<SshServerConnection, GatewayPeer>,
    address: string,
    startup: Startup,
  ) {
    this.#parts = parts;
    this.#connections = connections;
    this.address = address;
    this.#startup = startup;
    this.#login = new ClientLogin(parts);
    this.#client = new GatewayClient(parts, this.#login, this);
  }

  /** Undefined before a signature has been verified. */
  get #key(): PublicKey | undefined {
    return this.#login.key;
  }

  /** Whether it may make registrations, and nothing else. */
  get #isJoining(): boolean {
    return this.#login.join !== undefined;
  }

  begins(begin: () => void): void {
    this.#parts.guard.whenItsTurn(this.#startup, begin);
  }

  login(attempt: LoginAttempt): LoginVerdict {
    return this.#login.attempt(attempt);
  }

  mayUseSha1({ fingerprint }: PublicKey, user: string): boolean {
    const { config, routes } = this.#parts;
    // Clients of 0.6.x do not join, and one that was upgraded has no need of it.
    if (!config.legacyBackchannel || user === JOIN_USER) return false;
    const registrations = routes.ofKey(fingerprint);
    return registrations.length > 0 && registrations.every(isOldClient);
  }

  loginRefused(user: string, method: string): void {
    this.#login.refuse(user, method);
  }

  ready(connection: SshServerConnection): void {
    this.#connection = connection;
    this.#connections.set(connection, this);
    if (!this.#isJoining) this.#parts.guard.loggedIn(this.#startup);
    this.#parts.log.debug(this.#who, "A client logged in");
    const ids = this.own.map(({ id }) => id);
    this.#parts.audit.record("login-accepted", {
      ...this.#who,
      ...this.#isJoining ? { join: true } : { ids },
    });
    this.announceHostKeys();
  }

  /** Tells its client by which keys this server is known; one that is about to register keeps the one that its join code names. */
  announceHostKeys(): void {
    const { hostKeys } = this.#parts;
    const key = this.#key;
    if (key === undefined || this.#isJoining || this.#connection === undefined) return;
    const { wire } = this.#connection.link;
    // OpenSSH ends a connection on which it is told twice; it hears of another key when it connects again.
    if (this.#announced && !isPetit(wire.greeting)) return;
    this.#announced = true;
    this.#connection.announceHostKeys(() => hostKeys.offered, (proven) => {
      // Petit says itself what it has pinned (handshake1).
      if (!isPetit(wire.greeting)) hostKeys.asked(key.fingerprint, proven.map(({ fingerprint }) => fingerprint));
    });
  }

  forward(address: string, port: number): Promise<GrantedForward | undefined> {
    return this.#client.decide(this.#forward(address, port));
  }

  async #forward(address: string, port: number): Promise<GrantedForward | undefined> {
    const { log, ports, tunnels } = this.#parts;
    const own = this.#isJoining ? [] : this.own;
    const asked: AskedForward = { port, user: this.#login.user, own, isServed: (id) => this.#served.has(id) };
    const registration = address.length > MAX_ADDRESS ? undefined : askedRegistration(asked);
    const connection = this.#connection;
    if (registration === undefined || connection === undefined) {
      this.forbidden("forward-refused", `A client asked for port ${port}, which is not its own`);
      this.#explain(asked);
      return undefined;
    }
    this.#leaving.clear();
    for (const served of this.#served.values()) if (served.port === registration.port) this.#withdraw(served);
    const { ssh } = this.#parts.config;
    const served = new Served(registration, connection, address, registration.port, this.address, ssh);
    this.#served.set(registration.id, served);
    if (served.opensBlindly) {
      // It cannot tell how; and a connection on which nothing is asked it would leave open at its service.
      tunnels.wish(registration.id, { probe: "none", host: "" });
      connection.link.idleChannels = () => [...this.#served.values()].reduce((sum, { pool }) => sum + pool.size, 0);
    }
    this.#takeOver(registration.id, tunnels.of(registration.id));
    this.#rememberAddress(registration, address);
    try {
      await ports.open(registration, address);
      log.info(
        { id: registration.id, ...this.#who, port: registration.port },
        `${registration.id} is connected`,
      );
    } catch (error) {
      log.error(
        { id: registration.id, ...this.#who, code: (error as PetitError).code },
        `${registration.id} is connected, but only for HTTP: ${messageOf(error)}`,
      );
      ports.openLater(registration, address);
    }
    return { port: registration.port, begin: () => this.#begin(served) };
  }

  /** A refusal itself has no room for a reason (RFC 4254, section 7.1). */
  #explain(asked: AskedForward): void {
    const sentence = whyRefused(asked);
    this.#connection?.link.say(sentence);
    this.#client.refused(sentence);
  }

  /** From here on callers are sent there, unless the connection or the registration went in the meantime. */
  #begin(served: Served): void {
    const { tunnels } = this.#parts;
    if (!served.alive || served.lost) return;
    const { id } = served.registration;
    this.#takeOver(id, tunnels.of(id));
    tunnels.add(served);
  }

  /** The port belongs to the key: whoever comes back with it takes over at once, in whatever state the old tunnel is. */
  #takeOver(id: string, before: Served | undefined): void {
    if (before === undefined || before.connection === this.#connection) return;
    this.#parts.log.info({ id, ...this.#who }, `${id} took over from its older tunnel`);
    // A client of 0.6.x that finds its connection reset gives its registration up.
    if (isLegacyPetit(before.connection.link.wire.greeting)) before.connection.end(CAUSES.takenOver);
    else before.connection.destroy(CAUSES.takenOver);
  }

  /** So that its port can be opened before its client is back, when the server is started again. */
  #rememberAddress(registration: Registration, address: string): void {
    const { config, registry, routes, noise, log } = this.#parts;
    if (registration.bindAddress === address) return;
    // Where all are opened on loopback, what a client makes up need not go to the disk.
    if (registration.bindAddress !== null && config.ssh.gatewayPorts === "no") return;
    try {
      registry.setBindAddress(registration.id, address);
      routes.add({ ...registration, bindAddress: address });
    } catch (error) {
      noise.tell("registry", () => log.error({ code: (error as PetitError).code }, messageOf(error)));
    }
  }

  get software(): string {
    return softwareOf(this.#connection?.link.wire.greeting ?? "");
  }

  get hasForwards(): boolean {
    return this.#served.size > 0;
  }

  /** The registrations of this key, at present. */
  get own(): readonly Registration[] {
    return this.#key === undefined ? [] : this.#parts.routes.ofKey(this.#key.fingerprint);
  }

  /** The client wants no more callers; those that it has go on. */
  cancelForward(_address: string, port: number): boolean {
    const served = [...this.#served.values()].find((served) => served.port === port);
    if (served === undefined) return false;
    const { id } = served.registration;
    this.#withdraw(served);
    served.drain();
    this.#leaving.add(id);
    this.#parts.log.info({ id, ...this.#who, port }, `${id} takes no more callers, as its client asked`);
    return true;
  }

  drop(id: string): void {
    this.#leaving.delete(id);
    const served = this.#served.get(id);
    if (served !== undefined) {
      this.#withdraw(served);
      this.#parts.log.info(
        { id, ...this.#who, port: served.port },
        `${id} is served no longer: its registration is gone`,
      );
      if (this.#served.size === 0) this.#connection?.end(CAUSES.unregistered);
    } else if (!this.#isJoining && this.own.length === 0) this.#connection?.end(CAUSES.unregistered);
  }

  session(): ((session: Session) => void) | undefined {
    return this.#client.takeSession();
  }

  direct(host: string, port: number): ((channel: Channel) => void) | undefined {
    const key = this.#key;
    if (key === undefined || host !== BACKCHANNEL.host || port !== BACKCHANNEL.port) {
      this.forbidden("channel-refused", `A client asked for a connection to ${host.slice(0, 80)}:${port}`);
      return undefined;
    }
    for (const channel of this.#backchannels) if (channel.destroyed) this.#backchannels.delete(channel);
    if (this.#backchannels.size >= MAX_BACKCHANNELS) {
      this.forbidden(
        "channel-refused",
        `A client has ${MAX_BACKCHANNELS} backchannels open, and asked for another one`,
      );
      return undefined;
    }
    const onHandshake = (channel: Channel) => this.#backchannel = channel;
    const onClosed = (closed: ReadonlyMap<string, ClosedCode>) => this.#close(closed);
    return (channel) => {
      this.#backchannels.add(channel);
      const { join } = this.#login;
      this.#parts.registrar.serve(channel, { key, address: this.address, join, onHandshake, onClosed });
    };
  }

  /** Its client lets nobody in to these registrations. Callers who wait for them need not. */
  #close(closed: ReadonlyMap<string, ClosedCode>): void {
    const { tunnels, hold, log } = this.#parts;
    if (this.#connection === undefined) return;
    for (const id of tunnels.close(this.#connection, closed)) {
      log.info({ id, ...this.#who, code: closed.get(id) }, `The client of ${id} lets nobody in: ${closed.get(id)}`);
      hold.forget(id);
    }
  }

  /** Whether its client understands what it is told unasked. */
  get isTold(): boolean {
    return this.#backchannel?.writable === true;
  }

  dismiss(after: number, successor: boolean): void {
    this.#backchannel?.write(encodeMessage({ type: "reconnect1", after, successor } satisfies ServerMessage));
  }

  closed(cause: string, greeting: string): void {
    this.#tellGuard();
    if (this.#connection !== undefined) this.#connections.delete(this.#connection);
    if (this.#connection !== undefined) this.#parts.tunnels.close(this.#connection, new Map());
    const ids = [...this.#served.size > 0 ? this.#served.keys() : this.#leaving];
    for (const served of this.#served.values()) this.#withdraw(served);
    this.#leaving.clear();
    if (ids.length > 0) {
      const { disconnects, log, tunnels } = this.#parts;
      tunnels.ended(ids, cause);
      const tunnel = this.#connection?.link.tunnelId ?? "";
      const seen = { tunnel, ids, address: this.address, lasted: Math.round(performance.now() - this.#begun), cause };
      if (this.#key !== undefined) disconnects.add(this.#key.fingerprint, seen);
      log.info({ ids, ...this.#who, cause }, `${ids.join(", ")} disconnected: ${cause}`);
    } else if (this.#connection === undefined) {
      this.#parts.logins.failed({
        address: this.address,
        key: this.#key?.fingerprint,
        refused: this.#login.refused,
        wrongCodes: this.#login.wrongCodes,
        cause,
      });
      if (isLegacyPetit(greeting)) this.#tellLegacy();
    }
  }

  /** What a client of 0.6.x can do is too little without a setting, or its key is not one of such a client. */
  #tellLegacy(): void {
    if (this.#parts.config.legacyBackchannel) return;
    this.#say(
      "legacy-refused",
      "A client of petit 0.6 was refused, since it signs with SHA-1: [server] legacyBackchannel = true lets those in that are registered as such",
    );
  }

  #tellGuard(): void {
    // Called again for a client that takes its time to leave.
    if (this.#guardTold) return;
    this.#guardTold = true;
    const { guard, config, routes } = this.#parts;
    if (this.#connection !== undefined && !this.#isJoining) return guard.loggedOut(this.#startup);
    // Whoever has a registration by now has used its join code.
    const hasJoined = this.#client.hasRegistered || this.#connection !== undefined && this.#key !== undefined &&
        routes.ofKey(this.#key.fingerprint).length > 0;
    if (hasJoined) {
      guard.loggedIn(this.#startup);
      return guard.loggedOut(this.#startup);
    }
    guard.failed(this.#startup, {
      refused: this.#login.refused !== undefined || this.#connection !== undefined,
      // Timers are no more exact than that.
      slow: performance.now() - this.#begun >= config.ssh.loginGraceTime - 50,
      wrongCodes: this.#login.wrongCodes,
    });
  }

  #withdraw(served: Served): void {
    const { tunnels, ports } = this.#parts;
    const { id } = served.registration;
    this.#served.delete(id);
    tunnels.remove(served);
    if (tunnels.of(id) === undefined) ports.away(id);
  }

  /** Names the client in every line; without a key nothing has been proven. */
  get #who(): { address: string; key: string | undefined } {
    return { address: this.address, key: this.#key?.fingerprint };
  }

  /** Who is logged in asked for what is not theirs. */
  forbidden(code: string, sentence: string): void {
    this.#say(code, sentence);
    const kind = `${code} ${this.#key?.fingerprint}`;
    this.#parts.audit.recordOften("permission-refused", kind, { ...this.#who, code, why: sentence });
  }

  /** Tells what anyone on the internet can cause, once a minute for each address. */
  #say(code: string, sentence: string): void {
    const { noise, log } = this.#parts;
    noise.tell(
      `${code} ${this.address}`,
      (repeated) => log.warn({ code, ...this.#who, repeated }, sentence),
    );
  }
}
