import process from "node:process";
import type { Audit } from "../audit/audit_event.ts";
import { type Reloaded, takeUp } from "../config/changes.ts";
import type { ServerConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { version } from "../platform/version.ts";
import { within } from "../platform/within.ts";
import { byId } from "../registry/registration_id.ts";
import type { Registration, Registry } from "../registry/registry.ts";
import { CAUSES } from "../tunnel/disconnect_cause.ts";
import { AccessControl } from "./access/access_control.ts";
import type { AccessRules } from "./access/access_rules.ts";
import type { Disconnect } from "./disconnect.ts";
import type { Disconnects } from "./disconnects.ts";
import { settingLines } from "./audited_settings.ts";
import { addressList } from "./forwarded_fields.ts";
import type { Hold } from "./hold.ts";
import type { HostKeys } from "./host_key/host_keys.ts";
import type { Callers } from "./http_proxy.ts";
import { lightsOf, patienceOf } from "./lights.ts";
import { isOldClient } from "./legacy/old_clients.ts";
import type { NewRegistrations } from "./new_registrations.ts";
import { loginOf, type RegisteredKey, registeredKey } from "./plain_ssh.ts";
import type { KeyWishes } from "./register_public_key.ts";
import type { Prober } from "./probe/prober.ts";
import { isNever } from "./probe/probe_kind.ts";
import type { Routes } from "./routes.ts";
import type { FullStatus, LiveTunnel, RegistrationStatus, ServerStatus } from "./server_status.ts";
import type { Served, Tunnels } from "./tunnels.ts";

export interface ServerControlParts {
  /** The settings in force; a reload changes them in place. */
  readonly config: ServerConfig;
  /** Whose changes are audited. */
  readonly registry: Registry;
  readonly registrations: NewRegistrations;
  readonly audit: Audit;
  readonly routes: Routes;
  readonly access: AccessRules;
  readonly tunnels: Tunnels;
  readonly callers: Callers;
  readonly hold: Hold;
  readonly disconnects: Disconnects;
  readonly hostKeys: HostKeys;
  readonly prober: Prober;
  readonly log: Log;
  readonly signal: AbortSignal;
  ports(): ServerStatus["ports"];
}

/** Milliseconds for a service to be probed before its registration is told of: a silent one is found out by then. */
const LOOK_FOR = 4000;

/** Milliseconds for anything at all to come back through its tunnel. */
const ANSWERS_WITHIN = 2000;

/** Everything that can be asked of a running server, and done to it: what its command port, its REST API and its signals lead to. */
export class ServerControl {
  readonly #parts: ServerControlParts;
  readonly #startedAt = new Date().toISOString();

  /** Who may call. */
  readonly access: AccessControl;

  constructor(parts: ServerControlParts) {
    this.#parts = parts;
    const { registry, routes, access: rules, log } = parts;
    this.access = new AccessControl({ registry, routes, rules, log });
  }

  status(): ServerStatus {
    const { routes, tunnels } = this.#parts;
    return {
      status: this.phase,
      version,
      pid: process.pid,
      startedAt: this.#startedAt,
      ports: this.#parts.ports(),
      connected: tunnels.size,
      connections: [...routes.all].map((registration) => this.#statusOf(registration)),
    };
  }

  get phase(): ServerStatus["status"] {
    return this.#parts.signal.aborted ? "stopping" : "running";
  }

  /** How many requests and connections wait for a client that is away. */
  get held(): number {
    return this.#parts.hold.size;
  }

  /**
   * Has what `statusOf` tells of the service be true: it is probed, unless its client does not want that. Never rejects: what takes longer
   * than 6 s, or nothing of which has come back after 2 s, is told of when it is asked for again. An unknown registration has no service.
   */
  async look(id: string): Promise<void> {
    const { tunnels, prober } = this.#parts;
    const served = tunnels.of(id);
    if (served === undefined || isNever(tunnels.wishOf(id))) return;
    const { link } = served.connection;
    const begun = performance.now();
    const probing = prober.probe(served);
    if (link.wire.writable) link.ping();
    if (await within(ANSWERS_WITHIN, probing)) return;
    // A service may take its time; a tunnel through which nothing comes back at all is not waited for.
    if (link.answered >= begun) await within(LOOK_FOR, probing);
  }

  /** All there is to know of one registration. @throws PetitError `registration-unknown` */
  statusOf(id: string): FullStatus {
    const registration = this.#known(id);
    return {
      ...this.#statusOf(registration),
      access: this.access.line(id),
      disconnects: this.#parts.disconnects.of(registration.fingerprint, id),
    };
  }

  /**
   * Registrations page by page, in the order of their ids.
   *
   * @param after the id that the page before ended with
   * @param search part of an id, an alias, a brand, a tenant or a host name of the client
   */
  page(
    { after, limit, connected, search }: { after?: string; limit: number; connected?: boolean; search?: string },
  ): { registrations: RegistrationStatus[]; next: string | null; total: number } {
    const { routes, tunnels } = this.#parts;
    const wanted = search?.toLowerCase();
    const found = [...routes.all].filter((registration) =>
      (connected === undefined || (tunnels.of(registration.id) !== undefined) === connected) &&
      (wanted === undefined || searchable(registration).some((text) => text.toLowerCase().includes(wanted)))
    ).sort(byId);
    const from = after === undefined ? found : found.filter(({ id }) => Number(id) > Number(after));
    const page = from.slice(0, limit);
    return {
      registrations: page.map((registration) => this.#statusOf(registration)),
      next: from.length > limit ? page.at(-1)?.id ?? null : null,
      total: found.length,
    };
  }

  /** The live tunnels: one for each client that is connected. */
  tunnels(): LiveTunnel[] {
    const byConnection = new Map<unknown, Served[]>();
    for (const served of this.#parts.tunnels.all) {
      const others = byConnection.get(served.connection);
      if (others) others.push(served);
      else byConnection.set(served.connection, [served]);
    }
    return [...byConnection.values()].map((all) => {
      const [first] = all as [Served];
      return {
        ...tunnelStatus(first),
        fingerprint: first.registration.fingerprint,
        registrations: all.map(({ registration }) => registration.id),
      };
    });
  }

  disconnects(limit: number): Disconnect[] {
    return this.#parts.disconnects.latest(limit);
  }

  /** Ends the tunnel that carries a registration. Its client will connect again. @throws PetitError `registration-unknown` or `not-connected` */
  disconnect(id: string): void {
    this.#known(id);
    const served = this.#parts.tunnels.of(id);
    if (served === undefined) throw new PetitError("not-connected", `Registration "${id}" is not connected`);
    this.#parts.log.info({ id }, `${id} is disconnected, as the operator asked`);
    this.#parts.audit.record("client-disconnected", { id, key: served.registration.fingerprint });
    served.connection.end(CAUSES.operator);
  }

  /** @throws PetitError `registration-unknown` or `alias-taken` */
  addAlias(id: string, alias: string): void {
    this.#change(id, (registry) => registry.addAlias(id, alias), `The alias ${alias} leads to ${id} now`);
  }

  /** @throws PetitError `registration-unknown` or `alias-unknown` */
  removeAlias(id: string, alias: string): void {
    this.#change(id, (registry) => registry.removeAlias(id, alias), `The alias ${alias} leads to ${id} no longer`);
  }

  /** Makes a registration for a public key, or finds the one that is there. @throws PetitError as `loginOf` and `NewRegistrations.makeForKey` */
  async registerKey(wishes: KeyWishes): Promise<RegisteredKey> {
    const { config, registry, registrations, hostKeys } = this.#parts;
    const login = loginOf(config, hostKeys.current.publicKey.fingerprint);
    const registration = await registrations.makeForKey(registry, wishes);
    return registeredKey(config, registration, login);
  }

  /** Takes a registration away, for good; its tunnel ends, unless it carries others. @throws PetitError `registration-unknown` */
  unregister(id: string): void {
    this.#change(id, (registry) => registry.unregister(id), `Unregistered ${id}, as the operator asked`);
  }

  /** Takes up what has changed in the config file, as far as that can be done without a restart. */
  reload(read: ServerConfig): Reloaded {
    const { config, callers, log, audit } = this.#parts;
    const reloaded = takeUp(config, read, "server");
    callers.trusted = addressList(config.trustedProxies);
    const { changed, restartNeeded } = reloaded;
    if (changed.length + restartNeeded.length > 0) {
      audit.record("config-changed", { changed: settingLines(config, changed), restartNeeded });
    }
    this.#parts.access.refresh();
    log.info(reloaded, `The config was read again: ${reloaded.changed.join(", ") || "nothing"} changed`);
    if (reloaded.restartNeeded.length > 0) {
      log.warn(
        { code: "restart-needed" },
        `${reloaded.restartNeeded.join(", ")} will take effect when the server is restarted`,
      );
    }
    return reloaded;
  }

  get config(): ServerConfig {
    return this.#parts.config;
  }

  get registry(): Registry {
    return this.#parts.registry;
  }

  get hostKeys(): HostKeys {
    return this.#parts.hostKeys;
  }

  #change(id: string, work: (registry: Registry) => void, told: string): void {
    const { registry, routes, log } = this.#parts;
    work(registry);
    routes.refresh();
    log.info({ id }, told);
  }

  #known(id: string): Registration {
    const registration = this.#parts.routes.byId(id);
    if (registration !== undefined) return registration;
    throw new PetitError("registration-unknown", `There is no registration "${id}"`, {
      hint: '"petit server status" lists them',
    });
  }

  #statusOf(registration: Registration): RegistrationStatus {
    const { ssh, probeInterval } = this.#parts.config;
    const { id, port, fingerprint, aliases, vitae, brand, tenant, createdAt } = registration;
    const { tunnels } = this.#parts;
    const served = tunnels.of(id);
    return {
      registeredId: id,
      port,
      fingerprint,
      connected: served !== undefined,
      aliases,
      vitae,
      brand,
      tenant,
      endpoint: this.#parts.config.vitae.endpoint.replaceAll("REGID", id),
      createdAt: new Date(createdAt).toISOString(),
      old: isOldClient(registration),
      tunnel: served === undefined ? null : tunnelStatus(served),
      lights: lightsOf(
        served,
        tunnels.awayOf(id),
        patienceOf(ssh.clientAliveInterval, probeInterval),
        performance.now(),
        tunnels.closedOf(id),
      ),
    };
  }
}

function tunnelStatus(served: Served): { address: string; since: string; channels: number } {
  const { clientAddress, since, connection } = served;
  return { address: clientAddress, since: new Date(since).toISOString(), channels: connection.link.channels };
}

function searchable({ id, aliases, brand, tenant, vitae }: Registration): string[] {
  return [id, ...aliases, brand, tenant, vitae?.hostname ?? ""];
}
