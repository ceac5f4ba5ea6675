import { Caller, type Reach } from "./caller.ts";
import { KeptCaller } from "./kept_caller.ts";
import { Tally } from "./outcome.ts";

/** Connections that are kept. */
const KEPT = 25;

/**
 * So many requests a second, whether those before have been answered or not: half of them on new connections, half on connections that are
 * kept. All that were sent are in the tally once it has stopped.
 */
export class SteadyLoad {
  readonly tally = new Tally();
  sent = 0;
  readonly #kept: readonly KeptCaller[];
  readonly #caller: Caller;
  readonly #timer: NodeJS.Timeout;
  readonly #underWay = new Set<Promise<void>>();

  constructor(reach: Reach, perSecond: number) {
    this.#caller = new Caller(reach);
    this.#kept = Array.from({ length: KEPT }, () => new KeptCaller(reach));
    const begun = performance.now();
    // Timers are late under load: what is due is sent.
    this.#timer = setInterval(() => {
      const due = Math.floor((performance.now() - begun) * perSecond / 1000);
      while (this.sent < due) this.#send();
    }, 5);
  }

  /** Sends no more, and waits for what is under way. */
  async stop(): Promise<Tally> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
    for (const kept of this.#kept) kept.close();
    return this.tally;
  }

  #send(): void {
    const number = this.sent++;
    const kept = this.#kept[(number >> 1) % KEPT] as KeptCaller;
    const sending = (number % 2 === 0 ? this.#caller.ask() : kept.ask()).then((outcome) => this.tally.add(outcome))
      .finally(() => this.#underWay.delete(sending));
    this.#underWay.add(sending);
  }
}
