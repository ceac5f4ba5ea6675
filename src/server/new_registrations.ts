import type { Audit } from "../audit/audit_event.ts";
import type { ServerConfig } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import type { Registration, Registry } from "../registry/registry.ts";
import { type NewRegistration, registerOnFreePort } from "./register_on_free_port.ts";
import type { Routes } from "./routes.ts";

export interface NewRegistrationsParts {
  /** Read anew for each registration: a reload changes it. */
  readonly config: ServerConfig;
  readonly registry: Registry;
  readonly routes: Routes;
  readonly audit: Audit;
  readonly log: Log;
  /** Told of each new registration. */
  onRegistered(registration: Registration): void;
}

/** Makes registrations, or finds those that a key has already, and tells of new ones: log, audit log and usage record. */
export class NewRegistrations {
  readonly #parts: NewRegistrationsParts;

  constructor(parts: NewRegistrationsParts) {
    this.#parts = parts;
  }

  /**
   * @param address of whoever asks
   * @throws PetitError as `registerOnFreePort`
   */
  async make(wanted: NewRegistration, address: string): Promise<Registration> {
    const { config, registry } = this.#parts;
    const { registration } = await registerOnFreePort(registry, config.firstReversePort, wanted);
    this.#tell(registration, wanted, address);
    return registration;
  }

  #tell(registration: Registration, { joinHash, legacy }: NewRegistration, address: string): void {
    const { routes, audit, log, onRegistered } = this.#parts;
    const { id, port, fingerprint: key, brand, tenant } = registration;
    const isNew = routes.byId(id) === undefined;
    routes.add(registration);
    log.info({ id, port, key, brand, tenant, legacy }, `Registered ${id}`);
    if (!isNew) return;
    onRegistered(registration);
    const joinCode = joinHash?.slice(0, 16) ?? null;
    audit.record("registration-made", { id, port, key, brand, tenant, address, joinCode, legacy });
  }
}
