import type { Socket } from "node:net";
import type { ServerConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import type { ExchangeObserver } from "../observe/exchange_report.ts";
import { resetConnection } from "../platform/reset.ts";
import type { Registration } from "../registry/registry.ts";
import { splice } from "../tunnel/splice.ts";
import { endWhenSilent } from "./end_when_silent.ts";
import { ExchangeRecord } from "./exchange_record.ts";
import type { Peer } from "./forwarded_fields.ts";
import type { Hold } from "./hold.ts";
import type { Served, Tunnels } from "./tunnels.ts";

export interface RawCallerParts {
  readonly tunnels: Tunnels;
  readonly hold: Hold;
  readonly config: Pick<ServerConfig, "openTimeout" | "holdFor" | "connectionTimeout">;
}

/** How often a tunnel may be lost under one caller before it is sent away. */
const MAX_TRIES = 5;

/** One connection to a reverse port, until it is joined to a channel. Nothing of it is read before. */
export class RawCaller {
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #registration: Registration;
  readonly #record: ExchangeRecord;
  readonly #parts: RawCallerParts;
  #gone = false;
  #tries = 0;
  /** When it has waited long enough for a tunnel, in milliseconds of `performance.now()`. */
  #heldUntil: number | undefined;
  #leave = () => {};

  constructor(
    socket: Socket,
    peer: Peer,
    registration: Registration,
    observer: ExchangeObserver,
    parts: RawCallerParts,
  ) {
    this.#socket = socket;
    this.#peer = peer;
    this.#registration = registration;
    this.#parts = parts;
    this.#record = new ExchangeRecord(observer, peer, performance.now());
    this.#record.kind = "tcp";
    this.#record.registration = registration;
  }

  start(): void {
    this.#socket.on("error", this.#onGone).on("close", this.#onGone);
    this.#next();
  }

  readonly #onGone = (): void => {
    this.#gone = true;
    this.#leave();
    this.#record.done("caller-left");
  };

  #next(): void {
    const { tunnels, hold, config } = this.#parts;
    const served = tunnels.of(this.#registration.id);
    if (served !== undefined) return this.#open(served);
    this.#heldUntil ??= performance.now() + config.holdFor;
    this.#leave = hold.wait(this.#registration.id, 0, this.#heldUntil, (served) => {
      this.#leave = () => {};
      if (served === undefined) this.#refuse("tunnel-away");
      else this.#open(served);
    });
  }

  #open(served: Served): void {
    const { address, port } = this.#peer;
    served.open(address, port, this.#parts.config.openTimeout).then(
      (channel) => {
        if (this.#gone) return channel.close();
        this.#socket.off("error", this.#onGone).off("close", this.#onGone);
        endWhenSilent(this.#socket, this.#parts.config.connectionTimeout);
        this.#record.join(channel, "tcp");
        splice(channel, this.#socket, (error) => this.#record.done(error));
      },
      (error) => {
        const code = error instanceof PetitError ? error.code : "internal";
        // Nothing of the caller's has been read, and so nothing was lost with the tunnel.
        if (code === "tunnel-lost" && !this.#gone && ++this.#tries < MAX_TRIES) return this.#next();
        this.#record.cause = messageOf(error);
        this.#refuse(code);
      },
    );
  }

  #refuse(code: string): void {
    this.#record.done(code);
    resetConnection(this.#socket);
  }
}
