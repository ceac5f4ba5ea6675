import type { Audit } from "../audit/audit_event.ts";
import type { ServerConfig } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import type { Registration, Registry } from "../registry/registry.ts";
import { type MadeRegistration, type NewRegistration, registerOnFreePort } from "./register_on_free_port.ts";
import { type KeyWishes, registerPublicKey } from "./register_public_key.ts";
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
    const { config, registry, audit, log } = this.#parts;
    const made = await registerOnFreePort(registry, config.firstReversePort, wanted);
    const { id, port, fingerprint: key, brand, tenant } = made.registration;
    const { joinHash, legacy } = wanted;
    log.info({ id, port, key, brand, tenant, legacy }, `Registered ${id}`);
    if (made.isNew) {
      const joinCode = joinHash?.slice(0, 16) ?? null;
      audit.record("registration-made", { id, port, key, brand, tenant, address, joinCode, legacy });
    }
    return this.#takenIn(made);
  }

  /**
   * The same for a public key, as an operator asks.
   *
   * @param registry whose changes are audited as the operator's
   * @throws PetitError as `registerPublicKey`
   */
  async makeForKey(registry: Registry, wishes: KeyWishes): Promise<Registration> {
    const made = await registerPublicKey(registry, this.#parts.config, wishes);
    const { id, port } = made.registration;
    if (made.isNew) this.#parts.log.info({ id, port }, `Registered ${id}, as the operator asked`);
    return this.#takenIn(made);
  }

  #takenIn({ registration, isNew }: MadeRegistration): Registration {
    this.#parts.routes.add(registration);
    if (isNew) this.#parts.onRegistered(registration);
    return registration;
  }
}
