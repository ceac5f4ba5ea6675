import type { Lights } from "../tunnel/lights.ts";
import type { ClientVitae } from "../tunnel/messages.ts";
import type { Disconnect } from "./disconnect.ts";

/** A registration and its tunnel. The first six fields are those of 0.6.x. */
export interface RegistrationStatus {
  readonly registeredId: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly connected: boolean;
  readonly aliases: readonly string[];
  readonly vitae: ClientVitae | null;
  readonly brand: string;
  readonly tenant: string;
  readonly endpoint: string;
  /** When it was made, ISO 8601. */
  readonly createdAt: string;
  /** Whether its client is still one of petit 0.6.x. */
  readonly old: boolean;
  /** Null while the client is away. */
  readonly tunnel: TunnelStatus | null;
  /** Whether client, tunnel and service work, by what was seen last. */
  readonly lights: Lights;
}

export interface TunnelStatus {
  /** Address of the client. */
  readonly address: string;
  /** Since when, ISO 8601. */
  readonly since: string;
  /** Channels that are open in it, those of its other registrations and the backchannel included. */
  readonly channels: number;
}

/** One live SSH connection of a client. */
export interface LiveTunnel extends TunnelStatus {
  readonly fingerprint: string;
  readonly registrations: readonly string[];
}

/** What `STATUS` and `GET /status` answer. */
export interface ServerStatus {
  readonly status: "running" | "stopping";
  readonly version: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Ports that are listened on; null for the HTTPS proxy without certificates. */
  readonly ports: { readonly proxy: number; readonly secureProxy: number | null; readonly ssh: number };
  readonly connected: number;
  readonly connections: readonly RegistrationStatus[];
}

/** What `STATUS ID` and `GET /status/ID` answer. */
export interface FullStatus extends RegistrationStatus {
  /** Who may call it, in one line. */
  readonly access: string;
  /** The newest first. */
  readonly disconnects: readonly Disconnect[];
}
