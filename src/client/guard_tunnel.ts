import type { Notice } from "./backchannel_end.ts";
import { inTime } from "./in_time.ts";
import type { NextTunnel } from "./next_tunnel.ts";
import type { Tunnel } from "./tunnel.ts";

/** How a tunnel's time ends. */
export type TunnelEnd =
  /** It is gone, or as good as that; `wait`: milliseconds before the next may be tried, where the server has asked to come back. */
  | { readonly kind: "lost"; readonly cause: string; readonly wait: number | undefined }
  /** It goes on with the callers that it has; the next one stands, and takes the new ones. */
  | { readonly kind: "moved" };

/** Milliseconds between two looks. */
const LOOK_EVERY = 500;

/** Milliseconds between two attempts to build the next tunnel beside this one. */
const BUILD_EVERY = 1000;

/** A tunnel that was heard so few milliseconds ago is alive. */
const ALIVE = 1000;

/** Milliseconds for the answer of a server that is asked whether it is still there. */
const ANSWER_WITHIN = 2000;

/** Looks after a tunnel that stands, and has the next one built in time. */
export class TunnelGuard {
  /** Settles when another tunnel is due. */
  readonly over: Promise<TunnelEnd>;
  readonly #tunnel: Tunnel;
  readonly #next: NextTunnel;
  #finish!: (end: TunnelEnd) => void;
  #building = false;
  #builtAt = -Infinity;
  #wait: number | undefined;
  #moving: NodeJS.Timeout | undefined;
  #moves = false;
  /** What is under way when it is over is the next one's business. */
  #isOver = false;

  /** @param suspectAfter milliseconds of silence after which the next tunnel is built beside this one; Infinity for never */
  constructor(tunnel: Tunnel, next: NextTunnel, suspectAfter: number) {
    this.#tunnel = tunnel;
    this.#next = next;
    const timer = setInterval(() => this.#look(suspectAfter), LOOK_EVERY);
    this.over = new Promise((resolve) => {
      this.#finish = (end) => {
        this.#isOver = true;
        clearInterval(timer);
        clearTimeout(this.#moving);
        tunnel.onNotice = () => {};
        resolve(end);
      };
    });
    tunnel.onNotice = (notice) => this.#heed(notice);
    tunnel.closed.then((cause) => this.#finish({ kind: "lost", cause, wait: this.#wait }));
  }

  /** Something has happened that a tunnel may not survive: asks the server whether it is still there. */
  async test(): Promise<void> {
    try {
      await inTime(this.#tunnel.ping(), ANSWER_WITHIN);
    } catch {
      this.#build();
    }
  }

  /** Ends it: it cannot work any more. */
  giveUp(cause: string): void {
    this.#finish({ kind: "lost", cause, wait: undefined });
  }

  /** Has the next tunnel built, which takes the new callers. */
  move(): void {
    this.#moves = true;
    this.#build();
  }

  #look(suspectAfter: number): void {
    if (this.#moves || this.#tunnel.silent > suspectAfter) this.#build();
  }

  #heed({ after, successor }: Notice): void {
    if (!successor) {
      this.#wait = after;
      return;
    }
    clearTimeout(this.#moving);
    this.#moving = setTimeout(() => this.move(), after);
  }

  #build(): void {
    const now = performance.now();
    if (this.#isOver || this.#building || now - this.#builtAt < BUILD_EVERY) return;
    this.#building = true;
    this.#builtAt = now;
    this.#next.build().then(() => this.#built(), () => {}).finally(() => this.#building = false);
  }

  #built(): void {
    if (this.#isOver) return;
    if (this.#moves) return this.#finish({ kind: "moved" });
    const { silent } = this.#tunnel;
    if (silent < ALIVE) return this.#next.giveUp();
    const cause = `the server was silent for ${(silent / 1000).toFixed(1)} s, and answered on another connection`;
    this.#finish({ kind: "lost", cause, wait: undefined });
  }
}
