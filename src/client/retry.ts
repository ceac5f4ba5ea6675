import { setTimeout as sleep } from "node:timers/promises";
import { ExponentialBackoff, halfJitterGenerator } from "cockatiel";

export interface RetryOptions {
  /** Milliseconds before the second attempt; doubled each time, and half of it left to chance. */
  readonly delay: number;
  /** Milliseconds between two attempts at most. */
  readonly delayMax: number;
  /** An attempt that lasted this many milliseconds was a success: the next one begins at once. */
  readonly livedAfter: number;
  readonly signal: AbortSignal;
  /** Told before each wait. `error` is undefined where the attempt came to an end by itself. */
  onWait(error: unknown, milliseconds: number): void;
}

/**
 * Does `attempt` again and again until `signal` is aborted. After one that lived, at once; after one that did not, later and later, so that
 * a thousand clients do not knock in step on a server that comes back.
 */
export async function retryForEver(attempt: () => Promise<void>, options: RetryOptions): Promise<void> {
  const first = new ExponentialBackoff({
    generator: halfJitterGenerator,
    initialDelay: options.delay,
    maxDelay: options.delayMax,
  }).next();
  let backoff = first;
  while (!options.signal.aborted) {
    const begun = performance.now();
    let failure: unknown;
    try {
      await attempt();
    } catch (error) {
      failure = error;
    }
    if (options.signal.aborted) return;
    if (performance.now() - begun >= options.livedAfter) {
      backoff = first;
      options.onWait(failure, 0);
      continue;
    }
    options.onWait(failure, backoff.duration);
    try {
      await sleep(backoff.duration, undefined, { signal: options.signal });
    } catch {
      return;
    }
    backoff = backoff.next(undefined);
  }
}
