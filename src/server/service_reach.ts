import { messageOf, PetitError } from "../error.ts";
import type { Registration } from "../registry/registry.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import type { Peer } from "./forwarded_fields.ts";
import type { Hold } from "./hold.ts";
import type { Served, Tunnels } from "./tunnels.ts";

/** Where a caller's way to the service leads through. */
export interface ReachContext {
  readonly tunnels: Tunnels;
  readonly hold: Hold;
  /** In milliseconds, read anew each time. */
  readonly limits: { readonly openTimeout: number; readonly holdFor: number };
}

/** Who is on the way. */
export interface Traveller {
  readonly peer: Peer;
  /** Bytes of the caller's that wait in memory. */
  readonly waitingBytes: number;
  /** What part of a tunnel's limits it may use up, together with others of its kind; all of it by default. */
  readonly share?: number;
  /** Whether it rather waits for a tunnel that is busy than is refused. */
  readonly waits?: boolean;
  /** @param reused whether the channel has served another request before */
  reached(served: Served, channel: DuplexChannel, reused: boolean): void;
  /**
   * @param code "paused", "service-not-allowed", "tunnel-away", "tunnel-lost", "tunnel-busy", "open-timeout", "service-refused", or "internal"
   * @param cause what the client or the system said about that; null where nothing was said
   */
  notReached(code: string, cause: string | null): void;
}

/** Milliseconds between two attempts of one who waits in a queue. */
const BUSY_FOR = 20;

/** How often a tunnel may be lost under one caller. */
const MAX_TRIES = 5;

/**
 * The way of one caller to its service: the registration's tunnel, waiting for it while it is away, and a channel in it. A tunnel that is
 * lost before the channel stands has carried nothing of the caller's: then it begins anew.
 */
export class ServiceReach {
  readonly #registration: Registration;
  readonly #context: ReachContext;
  readonly #traveller: Traveller;
  #tries = 0;
  /** When it has waited long enough for a tunnel, in milliseconds of `performance.now()`. */
  #heldUntil: number | undefined;
  #leaveHold = () => {};
  /** It has waited with others, who are all let go at once. */
  #wasHeld = false;
  #over = false;

  constructor(registration: Registration, context: ReachContext, traveller: Traveller) {
    this.#registration = registration;
    this.#context = context;
    this.#traveller = traveller;
  }

  /** @param pooled whether a channel may be one that has served another request */
  start(pooled: boolean): void {
    const served = this.#context.tunnels.of(this.#registration.id);
    if (served === undefined) {
      const closed = this.#context.tunnels.closedOf(this.#registration.id);
      if (closed !== undefined) return this.#traveller.notReached(closed.code, null);
      return this.#hold(pooled);
    }
    const idle = pooled ? served.pool.take() : undefined;
    if (idle === undefined) this.#open(served);
    else this.#traveller.reached(served, idle, true);
  }

  /** Begins anew, on a new channel: whatever closed one that was kept has closed the others too. False where that was enough. */
  again(): boolean {
    if (++this.#tries >= MAX_TRIES) return false;
    this.start(false);
    return true;
  }

  /** The caller is gone, or has been answered. */
  giveUp(): void {
    this.#over = true;
    this.#leaveHold();
  }

  /** Nothing has been sent to the service yet: that can wait for the client to come back. */
  #hold(pooled: boolean): void {
    const { hold, limits } = this.#context;
    this.#heldUntil ??= performance.now() + limits.holdFor;
    const { waitingBytes } = this.#traveller;
    this.#leaveHold = hold.wait(this.#registration.id, waitingBytes, this.#heldUntil, (served) => {
      this.#leaveHold = () => {};
      if (served === undefined) {
        const closed = this.#context.tunnels.closedOf(this.#registration.id);
        this.#traveller.notReached(closed?.code ?? (this.#tries > 0 ? "tunnel-lost" : "tunnel-away"), null);
      } else {
        this.#wasHeld = true;
        this.start(pooled);
      }
    });
  }

  /**
   * Tries again in a moment: of those who were let go together, or came together, more than the tunnel takes at a time. False where that was
   * long enough.
   */
  #queue(): boolean {
    const { holdFor } = this.#context.limits;
    if (this.#traveller.waits) this.#heldUntil ??= performance.now();
    else if (!this.#wasHeld) return false;
    if (performance.now() >= (this.#heldUntil ?? 0) + holdFor) return false;
    this.#tryLater();
    return true;
  }

  #tryLater(): void {
    const timer = setTimeout(() => {
      const served = this.#context.tunnels.of(this.#registration.id);
      const isOver = performance.now() >= (this.#heldUntil ?? 0) + this.#context.limits.holdFor;
      if (served?.hasRoom(this.#traveller.share) === false && !isOver) this.#tryLater();
      else this.start(false);
    }, BUSY_FOR);
    this.#leaveHold = () => clearTimeout(timer);
  }

  #open(served: Served): void {
    const { peer: { address, port }, share } = this.#traveller;
    served.open(address, port, this.#context.limits.openTimeout, "caller", share).then(
      (channel) => {
        if (this.#over) channel.close();
        else this.#traveller.reached(served, channel, false);
      },
      (error) => {
        if (this.#over) return;
        const code = error instanceof PetitError ? error.code : "internal";
        if (code === "tunnel-lost" && this.again()) return;
        if (code === "tunnel-busy" && this.#queue()) return;
        this.#traveller.notReached(code, messageOf(error));
      },
    );
  }
}
