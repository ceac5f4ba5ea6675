import { messageOf, PetitError } from "../error.ts";
import { within } from "../platform/within.ts";
import { CAUSES } from "../tunnel/disconnect_cause.ts";
import type { Registered, ServerVitae } from "../tunnel/messages.ts";
import type { ClientDisconnect, ClientStatus } from "./client_status.ts";
import { AskAgain } from "./ask_again.ts";
import { Nudge } from "./nudge.ts";
import { TunnelGuard } from "./guard_tunnel.ts";
import { NextTunnel } from "./next_tunnel.ts";
import { longestWait, shortestWait } from "./outage.ts";
import { addressesOf, isReachable } from "./own_addresses.ts";
import { retryForEver } from "./retry.ts";
import { isRegistered, type RegisteredTenant, type Tenant } from "./tenants.ts";
import type { Tunnel, TunnelParts } from "./tunnel.ts";
import { type WakeUp, WakeUpWatch } from "./wake_up.ts";

/** Milliseconds before the second attempt to connect. */
const FIRST_DELAY = 1000;

/**
 * A tunnel that stood this many milliseconds is built again at once when it ends. Longer than a server takes to turn a client away that it
 * does not want after all, and no longer: a network or a server that fails every few seconds is not made better by waiting.
 */
const LIVED_AFTER = 2000;

/** Milliseconds for which the answer to a question may take before the server is suspected to be gone. */
const SUSPECT_AFTER = 2000;

/** Milliseconds that a client stays away at most that another one with the same key has taken over from. */
const GIVE_WAY_MAX = 15 * 60_000;

/** Milliseconds for the server to hear that this process takes no more callers. */
const HANDED_OVER_WITHIN = 3000;

const WOKE_UP: Readonly<Record<WakeUp, string>> = {
  "stood-still": "This machine or this process stood still for a while",
  "clock-jumped": "This machine slept, or its clock was set",
  "addresses-changed": "The addresses of this machine have changed",
};

const NOT_REGISTERED = {
  code: "not-registered",
  reason: "No tenant of this client is registered",
  nextAttempt: null,
} as const;

/** Keeps a tunnel to the server open until `signal` is aborted; as long as no tenant is registered, it waits for one. */
export class TunnelKeeper {
  /** Settles when the first tunnel stands. Never rejects. */
  readonly connected: Promise<readonly Registered[]>;
  /** Settles when the tunnel has been drained and closed. */
  readonly closed: Promise<void>;
  readonly #parts: TunnelParts;
  readonly #nudge = new Nudge();
  /** Ends the connection at once, where `parts.signal` asks to stop in order. */
  readonly #ending = new AbortController();
  readonly #next: NextTunnel;
  /** Tunnels that carry no new callers, and go on with those that they have. */
  readonly #leaving = new Set<Tunnel>();
  readonly #wakeUps: WakeUpWatch;
  readonly #again: AskAgain;
  /** Since when there is no tunnel, in milliseconds of `performance.now()`. */
  #awaySince = performance.now();
  #guard: TunnelGuard | undefined;
  /** How often in a row another client with the same key has taken over. */
  #takenOver = 0;
  #givesWay = false;
  #tenants: readonly Tenant[];
  #tunnel: Tunnel | undefined;
  #waiting: ClientStatus["waiting"] = {
    code: "connecting",
    reason: "Connecting for the first time",
    nextAttempt: null,
  };
  #serverVitae: ServerVitae | null = null;
  #onFirst!: (registrations: readonly Registered[]) => void;

  constructor(tenants: readonly Tenant[], parts: TunnelParts) {
    this.#tenants = tenants;
    this.#parts = parts;
    this.connected = new Promise((resolve) => this.#onFirst = resolve);
    const { config, signal } = parts;
    this.#next = new NextTunnel({ ...parts, signal: this.#ending.signal }, () => performance.now() - this.#awaySince);
    this.#again = new AskAgain(() => config.reconnectDelayMax, () => void this.#askAgain());
    this.#wakeUps = new WakeUpWatch((what) => this.#wakeUp(what));
    if (signal.aborted) this.#ending.abort(signal.reason);
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => this.#stop().finally(resolve), { once: true });
    });
    const retrying = retryForEver(() => this.#attempt(), {
      delay: FIRST_DELAY,
      get delayMax() {
        return config.reconnectDelayMax;
      },
      livedAfter: LIVED_AFTER,
      nudge: this.#nudge,
      signal,
      atMost: (error) => longestWait(error, performance.now() - this.#awaySince),
      atLeast: shortestWait,
      onWait: (error, milliseconds) => this.#wait(error, milliseconds),
    }).finally(() => this.#wakeUps.stop());
    this.closed = Promise.all([retrying, stopped]).then(() => {});
  }

  get tenants(): readonly Tenant[] {
    return this.#tenants;
  }

  /** The tunnel that stands; undefined while there is none. */
  get tunnel(): Tunnel | undefined {
    return this.#tunnel;
  }

  get waiting(): ClientStatus["waiting"] {
    return this.#tunnel === undefined ? this.#waiting : null;
  }

  /** What the server told of itself when it was reached last. */
  get serverVitae(): ServerVitae | null {
    return this.#serverVitae;
  }

  /** The newest first. */
  get disconnects(): readonly ClientDisconnect[] {
    return this.#parts.history.all;
  }

  /** Takes up which tenants there are, on the tunnel that stands; others begin to be carried, or no longer are. */
  async take(tenants: readonly Tenant[]): Promise<void> {
    this.#tenants = tenants;
    this.#parts.evidence.keep(tenants);
    const tunnel = this.#tunnel;
    const registered = this.#registered;
    if (tunnel === undefined) return this.#nudge.give();
    if (registered.length === 0) return void this.#retire(tunnel);
    try {
      const added = await tunnel.serve(registered);
      this.#serverVitae = tunnel.serverVitae;
      if (this.#tunnel === tunnel) {
        this.#parts.history.began(tunnel);
        this.#again.asked(tunnel.refuses);
      }
      this.#tell(tunnel, added);
      if (tunnel.outdated) this.#guard?.move();
    } catch (error) {
      const { log } = this.#parts;
      if (this.#tunnel === tunnel) this.#again.asked(tunnel.refuses);
      log.warn(
        { code: (error as PetitError).code, server: tunnel.server },
        `The tenants could not be taken up: ${messageOf(error)}`,
      );
    }
  }

  /** Takes no new callers any more, since another process does; those that are there go on until the signal. */
  async handOver(): Promise<void> {
    this.#again.stop();
    await within(HANDED_OVER_WITHIN, this.#tunnel?.withdraw() ?? Promise.resolve());
  }

  /** Takes new callers again, since the other process is gone before it could. */
  async resume(): Promise<void> {
    await this.take(this.#tenants);
  }

  /** Ends the tunnel and builds another one at once. */
  reconnect(): void {
    this.#nudge.give();
    this.#next.giveUp();
    this.#tunnel?.end(CAUSES.settings);
  }

  /** Some tenants were refused what others have. */
  async #askAgain(): Promise<void> {
    if (this.#tunnel !== undefined && !this.#parts.signal.aborted) await this.take(this.#tenants);
  }

  get #registered(): RegisteredTenant[] {
    return this.#tenants.filter(isRegistered);
  }

  async #attempt(): Promise<void | "at-once"> {
    const { config, log, signal, figures, history, evidence } = this.#parts;
    while (this.#registered.length === 0) {
      this.#waiting = NOT_REGISTERED;
      log.info({ code: NOT_REGISTERED.code }, `${NOT_REGISTERED.reason}; waiting for one`);
      await this.#nudge.wait(Infinity, signal);
      if (signal.aborted) return;
    }
    if (this.#waiting === NOT_REGISTERED) {
      this.#waiting = { code: "connecting", reason: `Connecting to ${config.host}:${config.port}`, nextAttempt: null };
    } else if (this.#waiting !== null) this.#waiting = { ...this.#waiting, nextAttempt: null };
    const tunnel = await this.#next.take();
    if (signal.aborted) return tunnel.end(CAUSES.clientStopped);
    if (this.#registered.length === 0) {
      tunnel.end(CAUSES.nothingRegistered);
      return "at-once";
    }
    try {
      const tenants = this.#tenants;
      const added = await tunnel.serve(this.#registered);
      this.#serverVitae = tunnel.serverVitae;
      this.#tunnel = tunnel;
      evidence.link = tunnel.link;
      figures.tunnels++;
      history.began(tunnel);
      this.#again.asked(tunnel.refuses);
      this.#tell(tunnel, added);
      this.#onFirst(added);
      // A reload may have come in between.
      if (tenants !== this.#tenants) await this.take(this.#tenants);
    } catch (error) {
      this.#tunnel = undefined;
      tunnel.end("it could not be set up");
      throw error;
    }
    return await this.#untilOver(tunnel);
  }

  async #untilOver(tunnel: Tunnel): Promise<void | "at-once"> {
    const { config: { serverAliveInterval }, log, signal } = this.#parts;
    this.#guard = new TunnelGuard(
      tunnel,
      this.#next,
      serverAliveInterval === 0 ? Infinity : serverAliveInterval + SUSPECT_AFTER,
    );
    const end = await this.#guard.over;
    this.#guard = undefined;
    this.#again.stop();
    if (end.kind === "moved") {
      log.info(
        { ids: tunnel.ids, server: tunnel.server },
        tunnel.outdated
          ? `The sshd at ${tunnel.server} lets another connection have the ports of new tenants: moving to one`
          : `${tunnel.server} was started again: moving to its new process`,
      );
      this.#letGo(tunnel);
      if (tunnel.outdated) await this.#leave(tunnel);
      return "at-once";
    }
    const { cause, wait } = end;
    const ids = tunnel.ids;
    this.#tunnel = undefined;
    this.#awaySince = performance.now();
    tunnel.end(cause);
    this.#waiting = { code: "tunnel-lost", reason: `The tunnel ended: ${cause}`, nextAttempt: null };
    this.#parts.history.ended(tunnel, tunnel.lasted, cause);
    if (signal.aborted) return;
    log.warn({ ids, server: tunnel.server, cause }, `The tunnel to ${tunnel.server} ended: ${cause}`);
    if (tunnel.lasted >= GIVE_WAY_MAX) this.#takenOver = 0;
    if (cause === CAUSES.takenOver) return await this.#giveWay();
    // A server that stops in order has nothing against this client, however soon it does.
    if (wait !== undefined) {
      log.info({ server: tunnel.server }, `Reconnecting in ${(wait / 1000).toFixed(1)} s, as the server asks`);
      await this.#nudge.wait(wait, signal);
      return "at-once";
    }
  }

  /**
   * The later connection wins, and this client stays away for longer each time: two with the same key would take over from each other all day
   * long, and cut each other's callers off.
   */
  async #giveWay(): Promise<"at-once"> {
    const { config, log, signal } = this.#parts;
    const longest = Math.min(config.reconnectDelayMax * 2 ** this.#takenOver++, GIVE_WAY_MAX);
    const wait = longest * (1 + Math.random()) / 2;
    const hint =
      "A copy of this client's folder on another machine would explain it: each client needs a key of its own";
    log.warn(
      { code: "taken-over", hint },
      `Another client with the same key is connected; trying again in ${(wait / 1000).toFixed(1)} s`,
    );
    this.#waiting = {
      code: "taken-over",
      reason: "Another client with the same key is connected",
      nextAttempt: new Date(Date.now() + wait).toISOString(),
    };
    this.#givesWay = true;
    await this.#nudge.wait(wait, signal);
    this.#givesWay = false;
    return "at-once";
  }

  /** A tunnel to a process that has a successor: it ends when that process has answered its last callers. */
  #letGo(tunnel: Tunnel): void {
    this.#leaving.add(tunnel);
    this.#awaySince = performance.now();
    tunnel.closed.then((cause) => {
      this.#leaving.delete(tunnel);
      this.#parts.history.ended(tunnel, tunnel.lasted, cause);
    });
  }

  /** Leaves the ports at sshd to the next tunnel; it ends when the last caller has left, and nobody else ends it. */
  async #leave(tunnel: Tunnel): Promise<void> {
    await tunnel.withdraw();
    void tunnel.drain().then(() => tunnel.end(CAUSES.settings));
  }

  #wakeUp(what: WakeUp): void {
    const { log } = this.#parts;
    const tunnel = this.#tunnel;
    log.info({ what }, `${WOKE_UP[what]}: ${tunnel === undefined ? "trying at once" : "looking after the tunnel"}`);
    if (tunnel === undefined) {
      if (!this.#givesWay) this.#nudge.give();
    } else if (what === "addresses-changed" && !isReachable(tunnel.localAddress, addressesOf())) {
      this.#guard?.giveUp(CAUSES.addressChanged);
    } else void this.#guard?.test();
  }

  #tell(tunnel: Tunnel, added: readonly Registered[]): void {
    const { gate } = this.#parts.inbound;
    for (const tenant of this.#registered) {
      const closed = gate.closed(tenant);
      if (closed === undefined) continue;
      const { code, reason } = closed;
      const { name, registration: { id } } = tenant;
      this.#parts.log.warn({ id, tenant: name, code, server: tunnel.server }, `${id} lets nobody in: ${reason}`);
    }
    for (const { registeredId: id, registeredPort: port, endpoint } of added) {
      const tenant = this.#registered.find(({ registration }) => registration.id === id);
      if (tenant === undefined) continue;
      const { name, local } = tenant;
      this.#parts.log.info(
        { id, tenant: name, port, endpoint, server: tunnel.server },
        `Connected to ${tunnel.server}: ${endpoint} reaches ${local.host}:${local.port}`,
      );
    }
  }

  #wait(error: unknown, milliseconds: number): void {
    const { config: { host, port }, log } = this.#parts;
    const server = `${host}:${port}`;
    const ids = this.#registered.map(({ registration }) => registration.id);
    const next = milliseconds === 0 ? "trying again at once" : `trying again in ${(milliseconds / 1000).toFixed(1)} s`;
    const nextAttempt = new Date(Date.now() + milliseconds).toISOString();
    if (error === undefined) {
      if (this.#waiting !== null) this.#waiting = { ...this.#waiting, nextAttempt };
      if (ids.length > 0) log.info({ ids, server }, `Reconnecting to ${server}: ${next}`);
      return;
    }
    const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
    this.#waiting = { code, reason: messageOf(error), nextAttempt };
    const err = code === "internal" ? error : undefined;
    log.warn({ ids, server, code, hint, err }, `${messageOf(error)}; ${next}`);
  }

  async #stop(): Promise<void> {
    try {
      const all = [...this.#tunnel === undefined ? [] : [this.#tunnel], ...this.#leaving];
      await Promise.all(all.map((tunnel) => this.#drain(tunnel)));
    } finally {
      this.#ending.abort(this.#parts.signal.reason);
    }
  }

  async #drain(tunnel: Tunnel): Promise<void> {
    const { config, log } = this.#parts;
    if (!await within(config.drainFor, Promise.race([tunnel.drain(), tunnel.closed]))) {
      log.info(
        { server: tunnel.server },
        `Connections that were not over within drainFor are ended: ${tunnel.callers}`,
      );
    }
    tunnel.end(CAUSES.clientStopped);
  }

  /** Ends a tunnel that carries nothing any more, once the last caller has left; unless there is something to carry by then. */
  async #retire(tunnel: Tunnel): Promise<void> {
    await within(this.#parts.config.drainFor, Promise.race([tunnel.drain(), tunnel.closed]));
    if (this.#registered.length === 0) tunnel.end(CAUSES.nothingRegistered);
  }
}
