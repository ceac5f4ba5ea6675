/**
 * What became of a request:
 *
 * - `correct`: every byte is as it has to be
 * - `refused`: a clean failure before anything of an answer: petit's 502, 503 or 504, or the connection was not to be had or ended
 * - `cut`: the answer began, and the connection visibly ended before its end
 * - `corrupt`: wrong bytes, or an answer that looks complete and is not
 * - `stuck`: nothing came for longer than the caller's bound
 */
export type OutcomeClass = "correct" | "refused" | "cut" | "corrupt" | "stuck";

export interface Outcome {
  readonly class: OutcomeClass;
  /** What was asked. */
  readonly kind: string;
  /** Why it is not correct: petit's code, the system's, or a sentence. */
  readonly detail: string;
  readonly milliseconds: number;
}

/** How many of each; and the words of the bad ones. */
export class Tally {
  readonly counts: Record<OutcomeClass, number> = { correct: 0, refused: 0, cut: 0, corrupt: 0, stuck: 0 };
  /** The first outcomes that no fault excuses. */
  readonly inexcusable: Outcome[] = [];
  /** How often each reason of a clean failure was given. */
  readonly reasons: Record<string, number> = {};
  slowest = 0;

  add(outcome: Outcome): void {
    this.counts[outcome.class]++;
    if (outcome.class === "correct") this.slowest = Math.max(this.slowest, outcome.milliseconds);
    else this.reasons[outcome.detail] = (this.reasons[outcome.detail] ?? 0) + 1;
    const isBad = outcome.class === "corrupt" || outcome.class === "stuck";
    if (isBad && this.inexcusable.length < 20) this.inexcusable.push(outcome);
  }

  get total(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    return Object.entries(this.counts).map(([name, count]) => `${count} ${name}`).join(", ");
  }
}
