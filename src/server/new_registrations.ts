import { createServer } from "node:net";
import type { Audit } from "../audit/audit_event.ts";
import type { ServerConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { Registration, RegistrationRequest, Registry } from "../registry/registry.ts";
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

/** What is asked for; the port is found here. */
export type WantedRegistration = Omit<RegistrationRequest, "port" | "now">;

/** Makes registrations, or finds those that a key has already, and tells of new ones: log, audit log and usage record. */
export class NewRegistrations {
  readonly #parts: NewRegistrationsParts;

  constructor(parts: NewRegistrationsParts) {
    this.#parts = parts;
  }

  /**
   * @param address of whoever asks
   * @throws PetitError as Registry.register, or `ports-exhausted`
   */
  async make(wanted: WantedRegistration, address: string): Promise<Registration> {
    const { config, registry } = this.#parts;
    for (let port = Math.max(config.firstReversePort, registry.nextPort()); port <= 65535; port++) {
      if (!await isFree(port)) continue;
      try {
        const registration = registry.register({ ...wanted, port, now: Date.now() });
        this.#tell(registration, wanted, address);
        return registration;
      } catch (error) {
        if (error instanceof PetitError && error.code === "port-taken") continue;
        throw error;
      }
    }
    throw new PetitError("ports-exhausted", "The server has no reverse port left to give");
  }

  #tell(registration: Registration, { joinHash, legacy }: WantedRegistration, address: string): void {
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

/** Whether nothing on this machine listens on a port, so that it can be given away. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
