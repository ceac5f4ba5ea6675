// Calls the beat for fixed_rate_caller.ts. In a thread of its own, because a thread that may block can sleep for a
// part of a millisecond; timers of the event loop are late by half a millisecond on average, more than what is to be
// measured.
import { parentPort } from "node:worker_threads";

parentPort?.on("message", ({ start, interval, total }: { start: number; interval: number; total: number }) => {
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let count = 0; count < total; count++) {
    const wait = start + count * interval - (performance.timeOrigin + performance.now());
    if (wait > 0) Atomics.wait(never, 0, 0, wait);
    parentPort?.postMessage(count);
  }
});
