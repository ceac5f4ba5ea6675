import { hedged } from "./hedge.ts";
import { Tunnel, type TunnelParts } from "./tunnel.ts";

/** Attempts to connect at the same time. */
const MOST = 3;

/** Milliseconds between two looks at an attempt. */
const LOOK_EVERY = 250;

/**
 * Milliseconds of silence after which another attempt is begun: before the server has answered, which costs it nothing, and afterwards,
 * when it may have a thousand logins to work through.
 */
const PATIENCE = { unanswered: 1200, answered: 5000 };

/** The longer an outage has lasted, the more rarely: then it may be prolonged by this part of it. */
const PART = 25;

/** More than its identification (RFC 4253, section 4.2), which comes unasked: also where what is sent here goes nowhere. */
const ANSWER = 256;

/** The tunnel that comes next: built when it is needed, or beside one that seems to be dead. */
export class NextTunnel {
  readonly #parts: TunnelParts;
  #building: Promise<Tunnel> | undefined;

  readonly #outage: () => number;

  /** @param parts whose signal ends what is being built @param outage milliseconds since there was a tunnel */
  constructor(parts: TunnelParts, outage: () => number) {
    this.#parts = parts;
    this.#outage = outage;
  }

  /** Begins to build it, unless that has begun. @throws PetitError as `Tunnel.open` */
  build(): Promise<Tunnel> {
    if (this.#building === undefined) {
      const building = this.#building = this.#open();
      building.catch(() => this.#forget(building));
    }
    return this.#building;
  }

  /** The tunnel, which is the caller's from here on. @throws PetitError as `Tunnel.open` */
  async take(): Promise<Tunnel> {
    const building = this.build();
    const tunnel = await building;
    this.#forget(building);
    return tunnel;
  }

  /** It is not needed any more. */
  giveUp(): void {
    this.#building?.then((tunnel) => tunnel.end("it was not needed"), () => {});
    this.#building = undefined;
  }

  #forget(building: Promise<Tunnel>): void {
    if (this.#building === building) this.#building = undefined;
  }

  #open(): Promise<Tunnel> {
    return hedged((signal) => this.#attempt(signal), {
      signal: this.#parts.signal,
      most: MOST,
      look: LOOK_EVERY,
      discard: (tunnel) => tunnel.end("another connection was quicker"),
    });
  }

  #attempt(signal: AbortSignal): { result: Promise<Tunnel>; hangs(): boolean } {
    const begun = performance.now();
    let wire: { readonly lastReceived: number; readonly bytesIn: number } | undefined;
    const result = Tunnel.open({ ...this.#parts, signal }, (made) => wire = made);
    return {
      result,
      hangs: () => {
        const silent = performance.now() - (wire?.lastReceived ?? begun);
        const least = (wire?.bytesIn ?? 0) < ANSWER ? PATIENCE.unanswered : PATIENCE.answered;
        return silent >= Math.max(least, this.#outage() / PART);
      },
    };
  }
}
