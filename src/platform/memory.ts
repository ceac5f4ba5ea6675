import process from "node:process";

/** How often the size of the process is looked at, in milliseconds. */
const LOOK_EVERY = 2000;

/** Below this many bytes of resident memory nothing is done. */
const SMALL = 112 * 1024 ** 2;

/** Growth since the last collection that calls for another one. */
const GROWTH = 1.25;

/**
 * Keeps a daemon's memory near what it uses. Bun's collector lets the heap grow with the machine's memory: after a few
 * gigabytes of forwarded bytes a daemon that uses 40 MB would keep 250. A collection takes 15 to 30 ms and happens only after such growth.
 *
 * @returns a function that stops it
 */
export function keepMemorySmall(): () => void {
  const bun = (globalThis as { Bun?: { gc(synchronously: boolean): void } }).Bun;
  if (bun === undefined) return () => {};
  let least = SMALL;
  const timer = setInterval(() => {
    const size = process.memoryUsage.rss();
    if (size < Math.max(SMALL, least * GROWTH)) {
      least = Math.max(SMALL, Math.min(least, size));
      return;
    }
    bun.gc(true);
    least = Math.max(SMALL, process.memoryUsage.rss());
  }, LOOK_EVERY);
  timer.unref();
  return () => clearInterval(timer);
}
