import type { Socket } from "node:net";
import type { DirectionFaults } from "./faults.ts";

/** Bytes that may be under way in one direction of one connection before its sender is paused. */
const CAPACITY = 64 * 1024;

/** Bytes of a limited line that may be made up for at once after a wait, as parts of a second. */
const BURST = 0.02;

/** Milliseconds between two looks at a line that is limited by its bandwidth. */
const TICK = 4;

/** Something on its way: bytes, or how the connection ended behind them. */
interface Cargo {
  readonly due: number;
  what: Buffer | "end" | "reset";
}

export interface LineParts {
  readonly from: Socket;
  readonly to: Socket;
  /** The faults as they are now. */
  faults(): DirectionFaults;
  /** From 0 up to 1. */
  random(): number;
  /** Ends the connection with a reset to both sides. */
  reset(): void;
  /** Makes the connection a black hole in both directions. */
  silence(): void;
}

/** One direction of one connection through a relay. What is under way is bounded: a sender is paused beyond that. */
export class Line {
  readonly #parts: LineParts;
  readonly #cargo: Cargo[] = [];
  /** Bytes under way. */
  #held = 0;
  #passed = 0;
  #lastDue = 0;
  #credit = 0;
  #creditAt = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #waitsForDrain = false;

  constructor(parts: LineParts) {
    this.#parts = parts;
    const { from, to } = parts;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => this.#take("end"));
    from.on("error", () => this.#take("reset"));
    to.on("drain", () => {
      this.#waitsForDrain = false;
      this.pump();
    });
  }

  /** Bytes handed on so far. */
  get passed(): number {
    return this.#passed;
  }

  /** Bytes kept now. */
  get held(): number {
    return this.#held;
  }

  /** Hands on what is due: called again whenever the faults change. */
  pump(): void {
    clearTimeout(this.#timer);
    const { to, from } = this.#parts;
    for (;;) {
      const faults = this.#parts.faults();
      const next = this.#cargo[0];
      if (next === undefined || this.#waitsForDrain || faults.hole === "stall") break;
      if (faults.hole === "drop") {
        this.#drop(next);
        continue;
      }
      if (to.destroyed) {
        // Who goes on sending to an end that is gone is told so, as a host does for a port that it has forgotten.
        this.stop();
        if (!from.destroyed) from.resetAndDestroy();
        return;
      }
      const wait = next.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), wait);
        break;
      }
      if (typeof next.what === "string") {
        this.#cargo.shift();
        if (next.what === "end") to.end();
        else return this.#parts.reset();
      } else if (!this.#hand(next as Cargo & { what: Buffer }, faults)) {
        this.#timer = setTimeout(() => this.pump(), TICK);
        break;
      }
    }
    if (this.#held < CAPACITY) from.resume();
  }

  /** Forgets everything. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#cargo.length = 0;
    this.#held = 0;
  }

  #take(what: Cargo["what"]): void {
    const { faults, from, random } = this.#parts;
    const { latency, jitter, closeDelay } = faults();
    const due = performance.now() + latency + jitter * random() + (what === "end" ? closeDelay : 0);
    this.#lastDue = Math.max(this.#lastDue, due);
    this.#cargo.push({ due: this.#lastDue, what });
    if (typeof what !== "string") this.#held += what.length;
    if (this.#held >= CAPACITY) from.pause();
    this.pump();
  }

  #drop(next: Cargo): void {
    this.#cargo.shift();
    if (typeof next.what !== "string") this.#held -= next.what.length;
  }

  /** Writes as much of a piece as may pass now; false where the bandwidth is used up. */
  #hand(next: { what: Buffer }, { bandwidth, slice, resetAfter, silentAfter }: DirectionFaults): boolean {
    const { to, reset, silence } = this.#parts;
    const allowed = Math.min(next.what.length, this.#allowed(bandwidth), resetAfter - this.#passed);
    const piece = next.what.subarray(0, Math.min(allowed, silentAfter - this.#passed));
    for (let at = 0; at < piece.length; at += slice) {
      if (!to.write(piece.subarray(at, at + slice))) this.#waitsForDrain = true;
    }
    this.#credit -= piece.length;
    this.#passed += piece.length;
    this.#held -= piece.length;
    const rest = next.what.subarray(piece.length);
    if (rest.length === 0) this.#cargo.shift();
    else next.what = rest;
    if (this.#passed >= resetAfter) {
      reset();
      return true;
    }
    if (this.#passed >= silentAfter) {
      silence();
      return true;
    }
    return rest.length === 0 || this.#waitsForDrain;
  }

  #allowed(bandwidth: number): number {
    if (bandwidth === Infinity) return Infinity;
    const now = performance.now();
    const most = Math.max(1, bandwidth * BURST);
    this.#credit = Math.min(most, this.#credit + bandwidth * (now - this.#creditAt) / 1000);
    this.#creditAt = now;
    return Math.max(0, Math.floor(this.#credit));
  }
}
