import { type Light, type LightState, momentOf } from "./lights.ts";

/** Who tried to reach a service. */
export type Visitor = "caller" | "probe";

/**
 * What became of the last connections to a service. Moments are milliseconds of `performance.now()`, -Infinity for never: keeping them
 * costs a caller's connection a few assignments.
 */
export class ServiceEvidence {
  reachedAt = -Infinity;
  failedAt = -Infinity;
  /** The first failure since it was reached. */
  failingSince = -Infinity;
  #milliseconds = 0;
  #by: Visitor = "caller";
  #code = "";
  #error = "";
  #unwell = false;
  /** When it last took a connection while it was not well. */
  #takenAt = -Infinity;

  /**
   * The service was reached.
   *
   * @param milliseconds how long that took
   * @param well it gave the answer that is wanted
   */
  reached(now: number, milliseconds: number, by: Visitor, well = by === "probe"): void {
    // That it takes connections does not contradict a probe to which it gave a wrong answer.
    if (this.#unwell && !well) {
      this.#takenAt = now;
      return;
    }
    this.#unwell = false;
    this.reachedAt = now;
    this.#milliseconds = milliseconds;
    this.#by = by;
  }

  /** It has answered a caller on a connection that stood already. */
  answered(at: number): void {
    if (this.#unwell || at <= this.reachedAt || at <= this.failedAt) return;
    this.reachedAt = at;
    this.#by = "caller";
  }

  /** It was not reached. @param unwell it was, but its answer to a probe was not what is wanted */
  failed(now: number, code: string, error: string, by: Visitor, unwell = false): void {
    if (!this.red) this.failingSince = now;
    this.failedAt = now;
    this.#unwell = unwell;
    this.#code = code;
    this.#error = error;
    this.#by = by;
  }

  /** The last probe that complained counts no longer; what it kept from counting does. */
  forgetProbe(): void {
    if (!this.#unwell) return;
    this.#unwell = false;
    this.reachedAt = Math.max(this.reachedAt, this.#takenAt);
  }

  /** What the last probe found that reached the service and was not content; undefined where there is no such thing. */
  get complaint(): { at: number; code: string; error: string } | undefined {
    return this.#unwell ? { at: this.failedAt, code: this.#code, error: this.#error } : undefined;
  }

  get red(): boolean {
    return this.#unwell || this.failedAt > this.reachedAt;
  }

  /** When anything was seen last. */
  get seenAt(): number {
    return Math.max(this.reachedAt, this.failedAt);
  }

  /** @param shownFor milliseconds for which what was seen counts */
  state(now: number, shownFor: number): LightState {
    if (now - this.seenAt > shownFor) return "unknown";
    return this.red ? "red" : "green";
  }

  light(now: number, shownFor: number): Light {
    const state = this.state(now, shownFor);
    if (this.seenAt === -Infinity) return { state, at: null };
    if (state === "red") {
      const since = momentOf(this.failingSince, now) as string;
      return { state, at: momentOf(this.failedAt, now), since, error: this.#error, code: this.#code, by: this.#by };
    }
    if (state === "unknown") return { state, at: momentOf(this.reachedAt, now) };
    const milliseconds = Math.round(this.#milliseconds * 10) / 10;
    return { state, at: momentOf(this.reachedAt, now), milliseconds, by: this.#by };
  }
}
