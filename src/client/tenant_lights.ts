import { type Light, type Lights, momentOf, type RoundTrips, SERVICE_SHOWN, tunnelLight } from "../tunnel/lights.ts";
import { ServiceEvidence } from "../tunnel/service_evidence.ts";
import type { ClientStatus } from "./client_status.ts";
import type { Closed } from "./gate.ts";

/** What a client has seen of its services and of its tunnel, from one tunnel to the next. */
export class ClientEvidence {
  /** Of the tunnel that stands, or stood last. */
  link: RoundTrips | undefined;
  readonly #services = new Map<string, ServiceEvidence>();

  /** What became of the connections to the service of a tenant. */
  of(tenant: string): ServiceEvidence {
    let evidence = this.#services.get(tenant);
    if (evidence === undefined) this.#services.set(tenant, evidence = new ServiceEvidence());
    return evidence;
  }

  /** Tenants that are gone are forgotten. */
  keep(tenants: readonly { readonly name: string }[]): void {
    for (const name of [...this.#services.keys()]) {
      if (!tenants.some((tenant) => tenant.name === name)) this.#services.delete(name);
    }
  }
}

/**
 * How a tenant is, as its client sees it: the client answers, so its daemon lives.
 *
 * @param served whether the tunnel carries it
 * @param waiting why there is no tunnel; null while there is one
 * @param closed why this client lets nobody in there
 * @param now milliseconds of `performance.now()`
 */
export function tenantLights(
  tenant: { readonly name: string; readonly registration: unknown },
  served: boolean,
  waiting: ClientStatus["waiting"],
  evidence: ClientEvidence,
  closed: Closed | undefined,
  now = performance.now(),
): Lights {
  const client: Light = { state: "green", at: new Date().toISOString() };
  const tunnel = lightOfTunnel(tenant, served, waiting, evidence, closed, now);
  const service = evidence.of(tenant.name);
  return {
    client,
    tunnel,
    service: tunnel.state === "green"
      ? service.light(now, SERVICE_SHOWN)
      : { state: "unknown", at: momentOf(service.reachedAt, now) },
  };
}

function lightOfTunnel(
  { registration }: { readonly registration: unknown },
  served: boolean,
  waiting: ClientStatus["waiting"],
  { link }: ClientEvidence,
  closed: Closed | undefined,
  now: number,
): Light {
  const at = link === undefined ? null : momentOf(link.answered, now);
  if (registration === undefined) return { state: "unknown", at: null };
  if (closed !== undefined) return { state: "red", at, error: closed.reason, code: closed.code };
  if (waiting !== null || link === undefined) {
    const { code, reason } = waiting ?? { code: "tunnel-away", reason: "There is no tunnel yet" };
    return { state: "red", at, error: reason, code };
  }
  if (!served) {
    return { state: "red", at, error: "The server sends no callers of this tenant here", code: "not-served" };
  }
  return tunnelLight(link, now);
}

/** The lights of a tenant whose client does not run. */
export function lightsWithoutClient(): Lights {
  const unknown: Light = { state: "unknown", at: null };
  return {
    client: { state: "red", at: null, error: "The client does not run", code: "not-running" },
    tunnel: unknown,
    service: unknown,
  };
}
