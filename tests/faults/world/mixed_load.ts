import type { Caller } from "./caller.ts";
import { type Outcome, Tally } from "./outcome.ts";
import { between, pick } from "./random.ts";

/** One kind of request; the numbers are drawn anew for each. */
type Kind = (caller: Caller, random: () => number) => Promise<Outcome | Outcome[]>;

const KINDS: Record<string, Kind> = {
  ask: (caller) => caller.ask(),
  download: (caller, random) => caller.download(between(random, 1, 400_000), { chunked: random() < 0.5 }),
  upload: (caller, random) => caller.upload(between(random, 1, 400_000)),
  events: (caller, random) => caller.events(between(random, 2, 20), between(random, 5, 100)),
  keptAlive: (caller, random) => caller.keptAlive(between(random, 2, 20), between(random, 0, 100)),
  webSocket: (caller, random) => caller.webSocket(between(random, 2, 20), between(random, 1, 20_000), 20),
  tcp: (caller, random) => caller.tcp(between(random, 2, 20), between(random, 1, 20_000), 20),
};

export interface MixedLoadOptions {
  /** Callers that ask one thing after the other. */
  readonly callers: number;
  /** Milliseconds that each waits at most between two requests. */
  readonly pause: number;
  readonly random: () => number;
  /** Which kinds of requests; all by default. */
  readonly kinds?: readonly string[];
}

/** Callers of all kinds at once, until they are stopped; every outcome is in the tally. */
export class MixedLoad {
  readonly tally = new Tally();
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(caller: Caller, { callers, pause, random, kinds = Object.keys(KINDS) }: MixedLoadOptions) {
    this.#running = Promise.all(Array.from({ length: callers }, async () => {
      while (!this.#stopped) {
        const kind = KINDS[pick(random, kinds)] as Kind;
        for (const outcome of [await kind(caller, random)].flat()) this.tally.add(outcome);
        await new Promise((resolve) => setTimeout(resolve, random() * pause));
      }
    }));
  }

  /** Takes no new requests, and waits for those under way. */
  async stop(): Promise<Tally> {
    this.#stopped = true;
    await this.#running;
    return this.tally;
  }
}
