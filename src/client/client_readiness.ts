import type { Readiness } from "../control/readiness.ts";
import type { ClientStatus, Probe } from "./client_status.ts";

/** The part of a ClientControl that is asked. */
export interface Probed {
  status(): ClientStatus;
  probe(): Promise<readonly Probe[]>;
  /** Sentences about tenants that are left out. */
  readonly broken: readonly string[];
}

/**
 * Whether callers reach the services of this client: there is a tunnel, and a probe went server → tunnel → client → service and back for
 * each registered tenant that is not paused, none of which is left out. Never rejects: what cannot be probed is missing.
 */
export async function clientReadiness(control: Probed): Promise<Readiness> {
  const status = control.status();
  const registered = status.registration.filter(({ id }) => id !== null);
  const endpoints = registered.flatMap(({ endpoint, paused }) => paused !== null ? [] : endpoint ?? []);
  const paused = registered.flatMap(({ tenant, paused }) => paused === null ? [] : [tenant]);
  const no = (missing: string[]) => ({ ready: false, missing, endpoints });
  if (status.status === "stopping") return no(["The client is stopping"]);
  if (registered.length === 0) return no(["No tenant of this client is registered"]);
  if (status.tunnel === null) return no([status.waiting?.reason ?? "There is no tunnel yet"]);
  try {
    // What is paused is so because somebody wants it: nothing is missing there.
    const probes = (await control.probe()).filter(({ code }) => code !== "paused");
    const missing = [...control.broken, ...probes.flatMap((probe) => probe.reached ? [] : [reason(probe, status)])];
    return { ready: missing.length === 0, missing, endpoints, ...(paused.length === 0 ? {} : { paused }) };
  } catch (error) {
    return no([`The tunnel is up, but cannot be probed: ${(error as Error).message}`]);
  }
}

/** What keeps a probe from reaching its service: in the words of the system's codes where it was one. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "refuses connections",
  ECONNRESET: "closes connections at once",
  ETIMEDOUT: "does not answer",
  EHOSTUNREACH: "cannot be reached from this machine",
  ENETUNREACH: "cannot be reached from this machine",
  ENOTFOUND: "has a host name that is not known",
  EAI_AGAIN: "has a host name that cannot be looked up at the moment",
};

function reason({ tenant, code: why, error = "there was no answer" }: Probe, { registration }: ClientStatus): string {
  const local = registration.find((one) => one.tenant === tenant)?.local;
  const service = local === undefined ? `of ${tenant}` : `${local.host}:${local.port}`;
  if (why === "service-not-allowed") return `Nobody is let in to ${tenant}: ${error}`;
  if (why === "service-unwell" || why === "service-silent") {
    return `The tunnel is up and the service ${service} takes connections, but is not well: ${error}`;
  }
  // What is wrong is not the service.
  if (why === "loop-broken" || why === "registration-unknown") return error;
  const code = /\bE[A-Z_]{4,}\b/.exec(error)?.[0] ?? "";
  return `The tunnel is up, but the service ${service} ${REASONS[code] ?? `cannot be reached: ${error}`}`;
}
