import type { Socket } from "node:net";
import type { ServerConfig } from "../config/schema.ts";
import type { ExchangeObserver } from "../observe/exchange_report.ts";
import { resetConnection } from "../platform/reset.ts";
import type { Registration } from "../registry/registry.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import { splice } from "../tunnel/splice.ts";
import { endWhenSilent } from "./end_when_silent.ts";
import { ExchangeRecord } from "./exchange_record.ts";
import type { Peer } from "./forwarded_fields.ts";
import type { Hold } from "./hold.ts";
import { ServiceReach, type Traveller } from "./service_reach.ts";
import type { Served, Tunnels } from "./tunnels.ts";

/** What part of a tunnel's channels raw callers may have: the rest is for those of the HTTP proxy. */
export const RAW_SHARE = 0.75;

export interface RawCallerParts {
  readonly tunnels: Tunnels;
  readonly hold: Hold;
  readonly config: Pick<ServerConfig, "openTimeout" | "holdFor" | "connectionTimeout">;
}

/** One connection to a reverse port, until it is joined to a channel. Nothing of it is read before. */
export class RawCaller implements Traveller {
  readonly peer: Peer;
  readonly waitingBytes = 0;
  readonly share = RAW_SHARE;
  readonly waits = true;
  readonly #socket: Socket;
  readonly #record: ExchangeRecord;
  readonly #parts: RawCallerParts;
  readonly #reach: ServiceReach;

  constructor(
    socket: Socket,
    peer: Peer,
    registration: Registration,
    observer: ExchangeObserver,
    parts: RawCallerParts,
  ) {
    this.#socket = socket;
    this.peer = peer;
    this.#parts = parts;
    this.#reach = new ServiceReach(registration, { ...parts, limits: parts.config }, this);
    this.#record = new ExchangeRecord(observer, peer, performance.now());
    this.#record.kind = "tcp";
    this.#record.registration = registration;
  }

  /** Was not let in, or is not any more, for what `code` names. */
  turnAway(code: string, refused: boolean): void {
    this.#record.refused = refused;
    this.#record.done(code);
    resetConnection(this.#socket);
  }

  start(): void {
    this.#socket.on("error", this.#onGone).on("close", this.#onGone);
    this.#reach.start(false);
  }

  readonly #onGone = (): void => {
    this.#reach.giveUp();
    this.#record.done("caller-left");
  };

  reached(_served: Served, channel: DuplexChannel): void {
    this.#socket.off("error", this.#onGone).off("close", this.#onGone);
    endWhenSilent(this.#socket, this.#parts.config.connectionTimeout);
    this.#record.join(channel, "tcp");
    splice(channel, this.#socket, (error) => this.#record.done(error));
  }

  notReached(code: string, cause: string | null): void {
    this.#record.cause = cause;
    this.#record.done(code);
    resetConnection(this.#socket);
  }
}
