import process from "node:process";
import { type Reloaded, takeUp } from "../config/changes.ts";
import type { ClientConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { version } from "../platform/version.ts";
import { within } from "../platform/within.ts";
import { decodeJoinCode, type JoinCode } from "../tunnel/join_code.ts";
import type { Registered } from "../tunnel/messages.ts";
import type { ClientDisconnect, ClientStatus, Probe, TenantStatus } from "./client_status.ts";
import { evict } from "./evict.ts";
import type { TunnelKeeper } from "./keep_tunnel.ts";
import type { Inbound } from "./inbound.ts";
import { KnownHost } from "./known_host.ts";
import { lease, type LeaseRequest } from "./lease.ts";
import { register } from "./register.ts";
import { readRegistration } from "./state.ts";
import { type ClientEvidence, tenantLights } from "./tenant_lights.ts";
import { tenantStatus } from "./tenant_status.ts";
import {
  type BrokenTenant,
  isRegistered,
  knownTenant,
  readTenants,
  readUsableTenants,
  type Tenant,
} from "./tenants.ts";
import type { Tunnel } from "./tunnel.ts";
import { unregister, type Unregistered } from "./unregister.ts";
import { clientVitae } from "./vitae.ts";

export interface ClientControlParts {
  /** The settings in force; a reload changes them in place. */
  readonly config: ClientConfig;
  /** The folder with the key and the tenants. */
  readonly folder: string;
  /** Of the client's key. */
  readonly fingerprint: string;
  readonly keeper: TunnelKeeper;
  readonly evidence: ClientEvidence;
  readonly inbound: Inbound;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Settings that a connection is made with. */
const OF_A_CONNECTION = [
  "client.host",
  "client.port",
  "client.username",
  "client.serverAliveInterval",
  "client.serverAliveCountMax",
];

/** Milliseconds for what is asked of the server on a connection of its own. */
const PATIENCE = 60_000;

/** Milliseconds for the server to say what it knows. */
const LOOK_FOR = 1000;

/** Milliseconds for the server to hear that a tenant is paused or not. Nobody is let in meanwhile. */
const TOLD_WITHIN = 3000;

/** Disconnects that the status tells of. */
const IN_STATUS = 5;

/** Everything that can be asked of a running client, and done to it: what its command port, its REST API and its signals lead to. */
export class ClientControl {
  readonly #parts: ClientControlParts;
  readonly #startedAt = new Date().toISOString();

  #broken: readonly BrokenTenant[] = [];

  /** @param broken tenants that were left out */
  constructor(parts: ClientControlParts, broken: readonly BrokenTenant[]) {
    this.#parts = parts;
    this.#setBroken(broken);
  }

  /** What is wrong with tenants whose files are damaged: a sentence for each. */
  get broken(): readonly string[] {
    return this.#broken.map(({ name, error: { message, hint } }) =>
      `The files of tenant "${name}" cannot be used: ${message}${hint === undefined ? "" : ` (${hint})`}`
    );
  }

  /**
   * Has the server say which registrations it still knows, so that what is told next is true: an operator may have taken one away. Never rejects:
   * a server that does not answer at once tells nothing new.
   */
  async look(): Promise<void> {
    const { keeper: { tunnel }, signal } = this.#parts;
    if (tunnel !== undefined && !signal.aborted) await within(LOOK_FOR, tunnel.verify().catch(() => {}));
  }

  get config(): ClientConfig {
    return this.#parts.config;
  }

  status(): ClientStatus {
    const { config, keeper, inbound, signal } = this.#parts;
    const { tunnel } = keeper;
    return {
      status: signal.aborted ? "stopping" : tunnel === undefined ? "listening" : "running",
      version,
      pid: process.pid,
      startedAt: this.#startedAt,
      registration: keeper.tenants.filter(isRegistered).map((tenant) => this.#statusOf(tenant)),
      fingerprint: this.#parts.fingerprint,
      vitae: clientVitae(config),
      server: { host: config.host, port: config.port, vitae: keeper.serverVitae },
      tunnel: tunnel === undefined ? null : { since: new Date(tunnel.since).toISOString(), channels: tunnel.callers },
      paused: inbound.gate.pause.all ?? null,
      waiting: keeper.waiting,
      disconnects: keeper.disconnects.slice(0, IN_STATUS),
    };
  }

  /** All tenants, those that are not registered too. */
  tenants(): TenantStatus[] {
    return this.#parts.keeper.tenants.map((tenant) => this.#statusOf(tenant));
  }

  /** The last tunnels that ended, the newest first; 50 are remembered, also over a restart. */
  disconnects(limit: number): ClientDisconnect[] {
    return this.#parts.keeper.disconnects.slice(0, limit);
  }

  /** How long the server takes to answer through the tunnel, in milliseconds. @throws PetitError `tunnel-away` */
  async ping(): Promise<number> {
    return await this.#tunnel().ping();
  }

  /**
   * Has the server reach the service of a tenant, or of each one that is registered, through the tunnel.
   * @throws PetitError `tunnel-away`, `tenant-unknown` or `not-registered`
   */
  async probe(name?: string): Promise<Probe[]> {
    const { keeper, folder, inbound } = this.#parts;
    if (name !== undefined) knownTenant(folder, name);
    const tenants = keeper.tenants.filter(isRegistered).filter((tenant) => name === undefined || tenant.name === name);
    if (tenants.length === 0 && name !== undefined) throw notRegistered(name);
    const tunnel = this.#tunnel();
    return await Promise.all(tenants.map(async (one) => {
      const { name: tenant, registration: { id } } = one;
      const begun = performance.now();
      const closed = inbound.gate.closed(one);
      const result = (reached: boolean, code?: string, error?: string): Probe => ({
        tenant,
        id,
        reached,
        milliseconds: performance.now() - begun,
        ...(code === undefined ? {} : { code }),
        ...(error === undefined ? {} : { error }),
      });
      if (closed !== undefined) return result(false, closed.code, closed.reason);
      try {
        const { reached, code, error } = await tunnel.probe(id);
        return result(reached, code, error);
      } catch (error) {
        return result(false, error instanceof PetitError ? error.code : "internal", messageOf(error));
      }
    }));
  }

  /**
   * Takes up what has changed in the config file and in the folders of the tenants. Tunnels, forwards and connections that need not change
   * stay as they are.
   *
   * @throws PetitError where something cannot be read; nothing is taken up then
   */
  async reload(read: ClientConfig): Promise<Reloaded> {
    const { config, folder, keeper, log } = this.#parts;
    const tenants = readTenants(folder, read.local);
    this.#parts.inbound.gate.pause.refresh();
    const reloaded = takeUp(config, read, "client");
    if (reloaded.changed.includes("client.logLevel")) log.level = config.logLevel;
    log.info(reloaded, `The config was read again: ${reloaded.changed.join(", ") || "nothing"} changed`);
    if (reloaded.restartNeeded.length > 0) {
      log.warn(
        { code: "restart-needed" },
        `${reloaded.restartNeeded.join(", ")} will take effect when the client is restarted`,
      );
    }
    if (reloaded.changed.some((setting) => OF_A_CONNECTION.includes(setting))) keeper.reconnect();
    this.#setBroken([]);
    await this.#take(tenants);
    return reloaded;
  }

  /**
   * Lets nobody in any more, to one tenant or to all, and ends the connections that are open, until `resume`, over restarts too. It is in force
   * at once, whatever the server makes of it; the server is told, so that callers are.
   *
   * @param drain whether connections that are open may go on
   * @returns since when (ISO 8601), and how many connections were ended
   * @throws PetitError `tenant-unknown`; `state-unwritable`: it is in force, but would not be kept over a restart
   */
  async pause(tenant?: string, drain = false): Promise<{ since: string; ended: number }> {
    const { folder, inbound, keeper, log } = this.#parts;
    const { pause } = inbound.gate;
    const name = tenant === undefined ? undefined : knownTenant(folder, tenant);
    let ended = 0;
    try {
      pause.pause(name);
    } finally {
      ended = inbound.take(keeper.tenants.filter(isRegistered), drain);
      log.warn({ code: "paused", tenant: name, ended }, `${subject(name)} is paused; ${ended} connections were ended`);
      await within(TOLD_WITHIN, keeper.take(keeper.tenants));
    }
    return { since: (name === undefined ? pause.all : pause.of(name)) as string, ended };
  }

  /**
   * Takes back what `pause` did, to one tenant or to the whole client; tenants that were paused by themselves stay so then.
   *
   * @returns the tenants that are still paused
   * @throws PetitError `tenant-unknown`, `state-unwritable`
   */
  async resume(tenant?: string): Promise<{ paused: string[] }> {
    const { folder, inbound, keeper, log } = this.#parts;
    const { pause } = inbound.gate;
    const name = tenant === undefined ? undefined : knownTenant(folder, tenant);
    pause.resume(name);
    log.warn({ code: "resumed", tenant: name }, `${subject(name)} is not paused any more`);
    await within(TOLD_WITHIN, keeper.take(keeper.tenants));
    return { paused: this.tenants().filter(({ paused }) => paused !== null).map(({ tenant }) => tenant) };
  }

  /** Makes a tenant; it is not registered yet. @throws PetitError as `lease` */
  async lease(request: LeaseRequest = {}): Promise<TenantStatus> {
    const { folder, config } = this.#parts;
    const { name } = lease(folder, config.local, request, config.allow);
    await this.#taken();
    return this.#named(name);
  }

  /** Unregisters a tenant, if it is registered, and removes it. @throws PetitError as `evict`; `tenant-unknown` */
  async evict(tenant: string, options: { force?: boolean } = {}): Promise<Unregistered | null> {
    const { folder } = this.#parts;
    try {
      return await evict({ ...this.#asking(), tenant: knownTenant(folder, tenant), ...options });
    } finally {
      await this.#taken();
    }
  }

  /**
   * Registers a tenant with the server that this client is connected to.
   *
   * @param typedCode as it was typed; undefined where the server takes anyone
   * @throws PetitError as `register` and `decodeJoinCode`; `tenant-unknown`, `already-registered`, `other-server`
   */
  async register(tenant: string, typedCode?: string): Promise<Registered> {
    const { config, folder } = this.#parts;
    const name = knownTenant(folder, tenant);
    const decoded = typedCode === undefined ? undefined : decodeJoinCode(typedCode);
    const before = readRegistration(folder, name);
    if (before !== undefined) {
      throw new PetitError("already-registered", `Tenant "${name}" is registered already, as ${before.id}`);
    }
    const joinCode = decoded === undefined ? undefined : this.#forOwnServer(decoded);
    const signal = AbortSignal.timeout(PATIENCE);
    const registered = await register({ config, folder, tenant: name, joinCode, signal });
    await this.#taken();
    return registered;
  }

  /** Takes a registration away, at the server and here. @throws PetitError as `unregister`; `registration-unknown` */
  async unregister(id: string, options: { force?: boolean } = {}): Promise<Unregistered> {
    const { keeper } = this.#parts;
    const tenant = keeper.tenants.find(({ registration }) => registration?.id === id);
    if (tenant === undefined) {
      throw new PetitError("registration-unknown", `This client has no registration "${id}"`, {
        hint: '"petit client tenants" lists them',
      });
    }
    try {
      return await unregister({ ...this.#asking(), tenant: tenant.name, ...options });
    } finally {
      await this.#taken();
    }
  }

  /** The server may be known under another name here than to those who made the code; its host key is the same. */
  #forOwnServer(joinCode: JoinCode): JoinCode {
    const { config: { host, port }, folder } = this.#parts;
    if (joinCode.host === host && joinCode.port === port) return joinCode;
    if (new KnownHost(folder).knows(joinCode.hostKeyFingerprint)) return { ...joinCode, host, port };
    throw new PetitError(
      "other-server",
      `The join code is for ${joinCode.host}:${joinCode.port}, but this client connects to ${host}:${port}`,
      { hint: 'Run "petit client register" to go to another server' },
    );
  }

  #asking() {
    const { config, folder, keeper } = this.#parts;
    return { config, folder, tunnel: keeper.tunnel, signal: AbortSignal.timeout(PATIENCE) };
  }

  #taken(): Promise<void> {
    const { folder, config, keeper } = this.#parts;
    const { tenants, broken } = readUsableTenants(folder, config.local, keeper.tenants);
    this.#setBroken(broken);
    this.#parts.inbound.gate.pause.refresh();
    return this.#take(tenants);
  }

  /** What is not allowed any more ends before anybody is asked anything. */
  #take(tenants: readonly Tenant[]): Promise<void> {
    const { keeper, inbound, log } = this.#parts;
    const ended = inbound.take(tenants.filter(isRegistered));
    if (ended > 0) log.warn({ ended }, `${ended} connections were ended that are not allowed any more`);
    return keeper.take(tenants);
  }

  #setBroken(broken: readonly BrokenTenant[]): void {
    this.#broken = broken;
    for (const { name, error } of broken) {
      const { code, hint } = error;
      this.#parts.log.error({ tenant: name, code, hint }, `Tenant "${name}" is not taken up: ${messageOf(error)}`);
    }
  }

  #tunnel(): Tunnel {
    const { keeper: { tunnel, waiting } } = this.#parts;
    if (tunnel !== undefined) return tunnel;
    throw new PetitError("tunnel-away", `There is no tunnel: ${waiting?.reason ?? "it is being built"}`, {
      hint: '"petit client status" says when the next attempt is due',
    });
  }

  #named(name: string): TenantStatus {
    return this.#statusOf(this.#parts.keeper.tenants.find((tenant) => tenant.name === name) as Tenant);
  }

  #statusOf(tenant: Tenant): TenantStatus {
    const { keeper: { tunnel, waiting }, evidence, inbound: { gate } } = this.#parts;
    const served = tunnel?.served.has(tenant.name) === true;
    const lights = tenantLights(tenant, served, waiting, evidence, gate.closed(tenant));
    return tenantStatus(tenant, served, lights, gate.pause.all ?? gate.pause.of(tenant.name));
  }
}

const subject = (tenant: string | undefined) => tenant === undefined ? "This client" : `Tenant "${tenant}"`;

const notRegistered = (tenant: string) =>
  new PetitError("not-registered", `Tenant "${tenant}" is not registered`, {
    hint: `Register it with "petit client register -t ${tenant}"`,
  });
