import type { Wire } from "./wire.ts";

/** The times of a keep-alive, in milliseconds, with OpenSSH's meaning of AliveInterval and AliveCountMax. */
export interface AliveTimes {
  readonly interval: number;
  readonly countMax: number;
}

/**
 * Asks a silent peer for a sign of life and gives it up when it stays silent.
 *
 * It looks at when bytes last came, once an interval, so that a busy connection costs nothing.
 *
 * @param ask sends a question that every peer has to answer
 * @param lost called once, `countMax` questions later
 * @returns a function that stops it
 */
export function keepAlive(wire: Wire, times: AliveTimes, ask: () => void, lost: () => void): () => void {
  // As in OpenSSH, 0 turns it off.
  if (times.interval === 0) return () => {};
  let unanswered = 0;
  let asked = -Infinity;
  const timer = setInterval(() => {
    if (wire.lastReceived >= asked) unanswered = 0;
    if (performance.now() - wire.lastReceived < times.interval) return;
    if (unanswered >= times.countMax) {
      clearInterval(timer);
      lost();
      return;
    }
    unanswered++;
    asked = performance.now();
    ask();
  }, times.interval);
  return () => clearInterval(timer);
}
