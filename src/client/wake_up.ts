import { addressesOf } from "./own_addresses.ts";

/** Why it is worth a look whether the tunnel still stands. */
export type WakeUp = "stood-still" | "clock-jumped" | "addresses-changed";

/** What is looked at; real in a daemon, told in a test. */
export interface Surroundings {
  /** Milliseconds that only go forward. */
  monotonic(): number;
  /** Milliseconds since 1970. */
  wall(): number;
  /** This machine's addresses, as one text. */
  addresses(): string;
}

/** Milliseconds between two looks. */
const LOOK_EVERY = 1000;

/** A look that comes so many milliseconds late, or two clocks that differ by as many, are no accident. */
const NOTICEABLE = 2000;

const THIS_MACHINE: Surroundings = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  addresses: () => addressesOf(false).sort().join(" "),
};

/** Notices that the machine was asleep, that its clock was set, or that it is in another network: then a tunnel may be dead that says nothing. */
export class WakeUpWatch {
  readonly #around: Surroundings;
  readonly #onWakeUp: (what: WakeUp) => void;
  #monotonic: number;
  #wall: number;
  #addresses: string;
  readonly #timer: NodeJS.Timeout;

  constructor(onWakeUp: (what: WakeUp) => void, around: Surroundings = THIS_MACHINE) {
    this.#around = around;
    this.#onWakeUp = onWakeUp;
    this.#monotonic = around.monotonic();
    this.#wall = around.wall();
    this.#addresses = around.addresses();
    this.#timer = setInterval(() => this.look(), LOOK_EVERY);
    this.#timer.unref();
  }

  /** Called by the timer. */
  look(): void {
    const { monotonic, wall, addresses } = this.#around;
    const passed = monotonic() - this.#monotonic;
    const shown = wall() - this.#wall;
    this.#monotonic += passed;
    this.#wall += shown;
    const now = addresses();
    const moved = now !== this.#addresses;
    this.#addresses = now;
    // A clock that stops in a suspend says nothing of it; the other one does.
    if (passed > LOOK_EVERY + NOTICEABLE) this.#onWakeUp("stood-still");
    else if (Math.abs(shown - passed) > NOTICEABLE) this.#onWakeUp("clock-jumped");
    else if (moved) this.#onWakeUp("addresses-changed");
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
