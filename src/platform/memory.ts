import process from "node:process";

/** How often the size of the process is looked at while it forwards little, in milliseconds. */
const LOOK_EVERY = 2000;

/** Forwarded bytes after which it is looked at in any case: at 1 GB/s a daemon grows by a hundred megabytes between two ticks. */
const LOOK_AFTER = 16 * 1024 ** 2;

/** Below this many bytes of resident memory nothing is done. */
const SMALL = 112 * 1024 ** 2;

/** Growth since the last collection that calls for another one. */
const GROWTH = 1.25;

/** Forwarded bytes between two ticks below which a daemon counts as at rest. */
const REST = 1024 ** 2;

let forwarded = 0;
let total = 0;
let look = (): void => {};

/**
 * Keeps a daemon's memory near what it uses. Bun's collector lets the heap grow with the machine's memory: after a few
 * gigabytes of forwarded bytes a daemon that uses 40 MB would keep 250, nearly all of it buffers that nobody holds any more.
 * A collection takes 15 to 30 ms and happens only after such growth, and once when a daemon comes to rest after work.
 *
 * @returns a function that stops it
 */
export function keepMemorySmall(): () => void {
  const bun = (globalThis as { Bun?: { gc(synchronously: boolean): void } }).Bun;
  if (bun === undefined) return () => {};
  let least = SMALL;
  const collect = () => {
    bun.gc(true);
    least = Math.max(SMALL, process.memoryUsage.rss());
  };
  look = () => {
    const size = process.memoryUsage.rss();
    if (size < Math.max(SMALL, least * GROWTH)) least = Math.max(SMALL, Math.min(least, size));
    else collect();
  };
  let before = 0;
  let worked = false;
  const timer = setInterval(() => {
    const atRest = total - before < REST;
    before = total;
    if (!atRest) worked = true;
    else if (worked) {
      worked = false;
      if (process.memoryUsage.rss() > SMALL) return collect();
    }
    look();
  }, LOOK_EVERY);
  timer.unref();
  return () => {
    clearInterval(timer);
    look = () => {};
  };
}

/** Told of bytes that came or left through a tunnel. */
export function countForwarded(bytes: number): void {
  total += bytes;
  forwarded += bytes;
  if (forwarded < LOOK_AFTER) return;
  forwarded = 0;
  look();
}
