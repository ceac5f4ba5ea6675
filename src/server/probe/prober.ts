import type { ServerConfig } from "../../config/schema.ts";
import { messageOf, PetitError } from "../../error.ts";
import { PING_AFTER } from "../../tunnel/lights.ts";
import type { Served, Tunnels } from "../tunnels.ts";
import { converse } from "./converse.ts";
import { dialogueOf, isNever, isRepeated } from "./probe_kind.ts";

/** Milliseconds between two looks at what is due. */
const TICK = 250;

/** How many registrations are looked at in one tick: with 10,000 of them each is once a second. */
const LOOKS = 2500;

/** How many probes may be under way that nobody has asked for. A server whose clients all come back does not probe all at once. */
const MAX_AT_ONCE = 50;

/** Milliseconds after which a service that was not well is looked at again. */
const RED_AGAIN = 15_000;

/** What came of a probe, server → tunnel → client → service and back. */
export type Probed =
  | { readonly reached: true; readonly milliseconds: number }
  | { readonly reached: false; readonly milliseconds: number; readonly code: string; readonly error: string };

export interface ProberParts {
  readonly tunnels: Tunnels;
  /** Read anew each time: a reload changes it. */
  readonly config: Pick<ServerConfig, "openTimeout" | "probeInterval">;
  /** Milliseconds, of the clock of all moments; `performance.now` by default. */
  readonly now?: () => number;
}

/**
 * Sees to it that something is known of each service and tunnel, with one timer for all: of a service when it begins to be served, while it is
 * not well, and, where its client has said how, when nobody has called for a while. Callers' connections are as good as probes.
 */
export class Prober {
  readonly #parts: ProberParts;
  readonly #now: () => number;
  readonly #underWay = new Map<Served, Promise<Probed>>();
  /** Begun by the timer. */
  #running = 0;
  #walk: Iterator<Served> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ProberParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
  }

  start(): void {
    this.#timer ??= setInterval(() => this.look(), TICK);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Probes a service now. Never rejects. Whoever asks while a probe is under way gets what comes of that one. */
  probe(served: Served): Promise<Probed> {
    let probing = this.#underWay.get(served);
    if (probing === undefined) {
      probing = this.#probe(served).finally(() => this.#underWay.delete(served));
      this.#underWay.set(served, probing);
    }
    return probing;
  }

  /** Begins what is due, as far as there is room; it goes on the next time where it stopped. */
  look(): void {
    const now = this.#now();
    for (let looks = 0; looks < LOOKS && this.#running < MAX_AT_ONCE; looks++) {
      this.#walk ??= this.#parts.tunnels.all[Symbol.iterator]();
      const { value: served, done } = this.#walk.next();
      if (done === true) {
        this.#walk = undefined;
        return;
      }
      this.#ping(served, now);
      if (this.#isDue(served, now)) this.#begin(served);
    }
  }

  #begin(served: Served): void {
    this.#running++;
    void this.probe(served).finally(() => this.#running--);
  }

  /** The keep-alive asks only where nothing comes, and what comes shows one direction only. */
  #ping({ connection: { link } }: Served, now: number): void {
    if (now - Math.max(link.answered, link.pinged) > PING_AFTER && link.wire.writable) link.ping();
  }

  #isDue(served: Served, now: number): boolean {
    const wish = this.#parts.tunnels.wishOf(served.registration.id);
    if (isNever(wish) || this.#underWay.has(served)) return false;
    const { evidence } = served;
    const age = now - evidence.seenAt;
    if (age === Infinity) return true;
    if (evidence.red) return age >= RED_AGAIN;
    const { probeInterval } = this.#parts.config;
    return probeInterval > 0 && age >= probeInterval && isRepeated(wish);
  }

  async #probe(served: Served): Promise<Probed> {
    const { tunnels, config } = this.#parts;
    const { evidence } = served;
    const begun = this.#now();
    try {
      const channel = await served.open("127.0.0.1", 0, config.openTimeout, "probe");
      const finding = await converse(channel, dialogueOf(tunnels.wishOf(served.registration.id), served.opensBlindly));
      const now = this.#now();
      const milliseconds = now - begun;
      if (finding.well) {
        evidence.reached(now, milliseconds, "probe");
        return { reached: true, milliseconds };
      }
      const { code, error } = finding;
      // A tunnel that ends takes its channels with it, and says nothing of the service.
      if (!served.alive) return { reached: false, milliseconds, code: "tunnel-lost", error: "The tunnel ended" };
      evidence.failed(now, code, error, "probe", true);
      return { reached: false, milliseconds, code, error };
    } catch (failure) {
      const now = this.#now();
      const code = failure instanceof PetitError ? failure.code : "internal";
      const error = messageOf(failure);
      if (code !== "tunnel-lost") evidence.failed(now, code, error, "probe");
      return { reached: false, milliseconds: now - begun, code, error };
    }
  }
}
