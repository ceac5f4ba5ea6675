/**
 * A log-linear histogram, as HdrHistogram's: each power of two of microseconds is cut into 16 bins of the same width, so a
 * value that is told back from the middle of its bin is at most 1/32 (3.1 %) off, and histograms are merged by adding.
 * The libraries looked at (hdr-histogram-js, @datadog/sketches-js) bring WebAssembly or Protocol Buffers for these lines.
 */

/** How often each bin was hit. Bins are sparse: a registration's answers mostly fall into a few. */
export type LatencyBins = Map<number, number>;

/** Halvings of a power of two: 2 ** 4 bins. */
const BITS = 4;
const BINS = 2 ** BITS;

/** Microseconds; what takes longer than 35 minutes counts as 35 minutes. */
const LONGEST = 2 ** 31 - 1;

/** The bin of a number of milliseconds, 0 to 447. */
export function latencyBin(milliseconds: number): number {
  const value = milliseconds * 1000;
  const micros = value >= LONGEST ? LONGEST : value > 0 ? Math.floor(value) : 0;
  if (micros < BINS * 2) return micros;
  const shift = 31 - Math.clz32(micros) - BITS;
  return shift * BINS + (micros >>> shift);
}

/** Milliseconds in the middle of a bin. */
export function latencyOfBin(bin: number): number {
  if (bin < BINS * 2) return (bin + 0.5) / 1000;
  const shift = Math.floor(bin / BINS) - 1;
  const low = (bin - shift * BINS) * 2 ** shift;
  return (low + 2 ** shift / 2) / 1000;
}

/**
 * The milliseconds below which the part `quantile` (0 to 1) of all values stays, at most 5 % off; null where there are none.
 */
export function latencyQuantile(bins: LatencyBins, quantile: number): number | null {
  let total = 0;
  for (const count of bins.values()) total += count;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(quantile * total));
  let passed = 0;
  for (const [bin, count] of [...bins].sort(([a], [b]) => a - b)) {
    passed += count;
    if (passed >= rank) return Number(latencyOfBin(bin).toPrecision(4));
  }
  return null;
}
