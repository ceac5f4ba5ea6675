import { PetitError } from "../error.ts";
import { tryListening } from "../platform/listen.ts";
import { isMadeBy, type Registration, type RegistrationRequest, type Registry } from "../registry/registry.ts";

/** What a registration is made of, but for its port and its time. */
export type NewRegistration = Omit<RegistrationRequest, "port" | "now">;

/** A registration, and whether it was not there before. */
export interface MadeRegistration {
  readonly registration: Registration;
  readonly isNew: boolean;
}

/**
 * Makes a registration, or finds the one that is there already, with the first reverse port that was never given away and that no program of this
 * machine listens on.
 *
 * @param from [server] firstReversePort
 * @throws PetitError `ports-exhausted`, or as `Registry.register`
 */
export async function registerOnFreePort(
  registry: Registry,
  from: number,
  request: NewRegistration,
): Promise<MadeRegistration> {
  for (let port = Math.max(from, registry.nextPort()); port <= 65535; port++) {
    if (!await isFree(port)) continue;
    try {
      const made = { ...request, port, now: nextMoment() };
      const registration = registry.register(made);
      return { registration, isNew: isMadeBy(registration, made) };
    } catch (error) {
      if (error instanceof PetitError && error.code === "port-taken") continue;
      throw error;
    }
  }
  throw new PetitError("ports-exhausted", "The server has no reverse port left to give");
}

/** When the last one was made. */
let last = 0;

/** Now, and later than the time before: who finds what another has just made is not to be taken for its maker. */
function nextMoment(): number {
  return last = Math.max(Date.now(), last + 1);
}

/** Whether nothing on this machine listens on a port, so that it can be given away. */
function isFree(port: number): Promise<boolean> {
  return tryListening("127.0.0.1", port, "[server] firstReversePort").then(() => true, () => false);
}
