import type { DisconnectCode } from "../tunnel/disconnect_cause.ts";
import type { Lights } from "../tunnel/lights.ts";
import type { ClientVitae, ServerVitae } from "../tunnel/messages.ts";

/** One tenant as its client sees it. `id`, `port`, `dir` and `endpoint` are those of 0.6.x. */
export interface TenantStatus {
  readonly tenant: string;
  /** Null while it is not registered. */
  readonly id: string | null;
  /** Its reverse port on the server; null while it is not registered. */
  readonly port: number | null;
  /** Its folder. */
  readonly dir: string;
  /** The URL under which callers reach it; null while it is not known. */
  readonly endpoint: string | null;
  readonly local: { readonly host: string; readonly port: number; readonly tls: boolean };
  /** Whether the tunnel carries it: the server sends its callers here. */
  readonly served: boolean;
  /** Since when it is paused (ISO 8601), by itself or with the whole client; null while it is not. */
  readonly paused: string | null;
  /** Whether client, tunnel and service work, by what was seen last. */
  readonly lights: Lights;
}

/** What `STATUS` and `GET /status` of a client answer. */
export interface ClientStatus {
  /** "running" with a tunnel, "listening" without one (as 0.6.x says it), "stopping" once it was asked to. */
  readonly status: "running" | "listening" | "stopping";
  readonly version: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly registration: readonly TenantStatus[];
  /** Of this client's key. */
  readonly fingerprint: string;
  readonly vitae: ClientVitae;
  /** What the server told of itself; null until it was reached once. */
  readonly server: { readonly host: string; readonly port: number; readonly vitae: ServerVitae | null };
  /** The tunnel, and how many connections of callers are open in it; null while there is none. */
  readonly tunnel: { readonly since: string; readonly channels: number } | null;
  /** Since when the whole client is paused (ISO 8601); null while it is not. */
  readonly paused: string | null;
  /** Why there is no tunnel, and when the next attempt is due (ISO 8601); null while there is one. */
  readonly waiting: { readonly code: string; readonly reason: string; readonly nextAttempt: string | null } | null;
  /** The last few tunnels that ended, the newest first. */
  readonly disconnects: readonly ClientDisconnect[];
}

/** One probe, server → tunnel → client → service and back. */
export interface Probe {
  readonly tenant: string;
  readonly id: string;
  readonly reached: boolean;
  /** As this client saw it, from question to answer. */
  readonly milliseconds: number;
  readonly code?: string;
  readonly error?: string;
}

/** The end of one tunnel, as the client saw it. */
export interface ClientDisconnect {
  /** In milliseconds since 1970; where the client was killed, when it began to run again. */
  readonly at: number;
  /** The name that both sides have for the tunnel. */
  readonly tunnel: string;
  /** Registrations that it carried. */
  readonly ids: readonly string[];
  /** "HOST:PORT" of the server. */
  readonly server: string;
  /** How long the tunnel stood, in milliseconds; null where the client was killed with it. */
  readonly lasted: number | null;
  /** Why it ended. */
  readonly cause: string;
  readonly code: DisconnectCode;
  /** Whether the server has been told. */
  readonly told: boolean;
}
