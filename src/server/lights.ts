import {
  type Light,
  type Lights,
  type LightState,
  momentOf,
  PING_AFTER,
  SERVICE_SHOWN,
  SIGN_OF_LIFE,
  tunnelLight,
  tunnelState as roundTripState,
} from "../tunnel/lights.ts";
import type { Away, ClosedByClient, Served } from "./tunnels.ts";

/** For how long what was seen is believed, in milliseconds. */
export interface Patience {
  readonly client: number;
  readonly service: number;
}

/**
 * @param alive [server.ssh] clientAliveInterval: a client with nothing to say is asked after that, and at twice that the latest; where it
 * is 0, only the tunnel's own ping makes it speak
 * @param probes [server] probeInterval
 */
export function patienceOf(alive: number, probes: number): Patience {
  const client = alive === 0 ? PING_AFTER + 2 * SIGN_OF_LIFE : Math.max(SIGN_OF_LIFE, 2 * alive + 500);
  return { client, service: Math.max(SERVICE_SHOWN, 2 * probes) };
}

const clientState = ({ connection }: Served, { client }: Patience, now: number): LightState =>
  now - connection.link.wire.lastReceived > client ? "red" : "green";

function tunnelState(served: Served, patience: Patience, now: number): LightState {
  return clientState(served, patience, now) === "red" ? "red" : roundTripState(served.connection.link, now);
}

function serviceState(served: Served, patience: Patience, now: number): LightState {
  if (tunnelState(served, patience, now) !== "green") return "unknown";
  return served.evidence.state(now, patience.service);
}

/** The states alone, for counting many of them: client, tunnel, service. */
export function lightStates(served: Served | undefined, patience: Patience, now: number): readonly LightState[] {
  if (served === undefined) return AWAY;
  return [clientState(served, patience, now), tunnelState(served, patience, now), serviceState(served, patience, now)];
}

const AWAY = ["red", "red", "unknown"] as const;

/**
 * How a registration is.
 *
 * @param served undefined while its client is away
 * @param away what is known of its last tunnel then
 * @param now milliseconds of `performance.now()`
 * @param closed what its client has said then, if it is connected and lets nobody in
 */
export function lightsOf(
  served: Served | undefined,
  away: Away | undefined,
  patience: Patience,
  now = performance.now(),
  closed?: ClosedByClient,
): Lights {
  if (served === undefined) return closed === undefined ? awayLights(away, now) : closedLights(closed, away, now);
  const { link } = served.connection;
  const heard = momentOf(link.wire.lastReceived, now);
  const silence = Math.floor((now - link.wire.lastReceived) / 1000);
  const client: Light = clientState(served, patience, now) === "green"
    ? { state: "green", at: heard }
    : { state: "red", at: heard, error: `The client has been silent for ${silence} s`, code: "client-silent" };
  const tunnel: Light = client.state === "red"
    ? { ...client, at: momentOf(link.answered, now) }
    : tunnelLight(link, now);
  const service: Light = tunnel.state === "green"
    ? served.evidence.light(now, patience.service)
    : { state: "unknown", at: momentOf(served.evidence.reachedAt, now) };
  return { client, tunnel, service };
}

const CLOSED: Readonly<Record<ClosedByClient["code"], string>> = {
  "paused": "The customer has paused it",
  "service-not-allowed": "The customer's side does not allow access to its service",
};

function closedLights({ by: { link }, code }: ClosedByClient, away: Away | undefined, now: number): Lights {
  return {
    client: { state: "green", at: momentOf(link.wire.lastReceived, now) },
    tunnel: { state: "red", at: momentOf(link.answered, now), error: CLOSED[code], code },
    service: { state: "unknown", at: momentOf(away?.reached ?? -Infinity, now) },
  };
}

function awayLights(away: Away | undefined, now: number): Lights {
  if (away === undefined) {
    const never: Light = {
      ...{ state: "red", at: null, code: "client-away" },
      error: "Its client has not connected since the server began to run",
    };
    return { client: never, tunnel: never, service: { state: "unknown", at: null } };
  }
  const since = momentOf(away.since, now) as string;
  const why = { state: "red", since, error: away.cause, code: "client-away" } as const;
  return {
    client: { ...why, at: momentOf(away.heard, now) },
    tunnel: { ...why, at: momentOf(away.answered, now) },
    service: { state: "unknown", at: momentOf(away.reached, now) },
  };
}
