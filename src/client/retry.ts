import { ExponentialBackoff, halfJitterGenerator, type IBackoff } from "cockatiel";
import { Nudge } from "./nudge.ts";

export interface RetryOptions {
  /** Milliseconds before the second attempt; doubled each time, and half of it left to chance. */
  readonly delay: number;
  /** Milliseconds between two attempts at most. */
  readonly delayMax: number;
  /** An attempt that came to its end after this many milliseconds was a success: the next one begins at once. */
  readonly livedAfter: number;
  readonly signal: AbortSignal;
  /** Ends a wait, and begins anew with the short ones. */
  readonly nudge?: Nudge;
  /** Milliseconds that a wait after this error may take at most, whatever has been waited before. */
  atMost?(error: unknown): number;
  /** And at least. */
  atLeast?(error: unknown): number;
  /** Told before each wait. `error` is undefined where the attempt came to an end by itself. */
  onWait(error: unknown, milliseconds: number): void;
}

/**
 * Does `attempt` again and again until `signal` is aborted. After one that lived, or that says "at-once", at once; after one that did
 * not, later and later, so that a thousand clients do not knock in step on a server that comes back. Attempts that failed and those that
 * came about and ended soon are counted apart.
 */
export async function retryForEver(attempt: () => Promise<void | "at-once">, options: RetryOptions): Promise<void> {
  const { signal, nudge = new Nudge() } = options;
  // Two of them: how long nobody was there says nothing of how long a tunnel is going to stand.
  let backoff = { failed: first(options), ended: first(options) };
  const anew = () => backoff = { failed: first(options), ended: first(options) };
  while (!signal.aborted) {
    const begun = performance.now();
    let failure: unknown;
    try {
      if (await attempt() === "at-once") {
        anew();
        continue;
      }
    } catch (error) {
      failure = error;
    }
    if (signal.aborted) return;
    if (failure === undefined && performance.now() - begun >= options.livedAfter) {
      anew();
      options.onWait(failure, 0);
      continue;
    }
    const which = failure === undefined ? "ended" : "failed";
    const wait = Math.max(
      Math.min(backoff[which].duration, jittered(options.atMost?.(failure) ?? Infinity)),
      jittered(options.atLeast?.(failure) ?? 0),
    );
    options.onWait(failure, wait);
    if (await nudge.wait(wait, signal)) anew();
    else if (which === "failed") backoff.failed = backoff.failed.next(undefined);
    else backoff = { failed: first(options), ended: backoff.ended.next(undefined) };
  }
}

/** Half of it, and of the other half as much as chance will have it. */
function jittered(milliseconds: number): number {
  return milliseconds * (1 + Math.random()) / 2;
}

function first({ delay, delayMax }: RetryOptions): IBackoff<unknown> {
  return new ExponentialBackoff({
    generator: halfJitterGenerator,
    initialDelay: Math.min(delay, delayMax),
    maxDelay: delayMax,
  }).next();
}
