import { type Contender, type Name, NAMES } from "./contenders.ts";
import { figure } from "./figure.ts";
import { say } from "./say.ts";

/** Several figures of one run, by name. */
export type Sample = Readonly<Record<string, number>>;

/** What was found in each round; a string says why there is nothing. */
export type Samples = Readonly<Record<Name, readonly (Sample | string)[]>>;

/**
 * Measures every contender once a round, one after the other, so that whatever drifts on the machine hits all alike. A
 * failed run counts as failed, and is not repeated.
 */
export async function measureInRounds(
  title: string,
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender) => Promise<Sample>,
): Promise<Samples> {
  const samples: Record<Name, (Sample | string)[]> = { direct: [], ssh: [], raw: [], proxy: [] };
  for (let round = 1; round <= rounds; round++) {
    for (const contender of contenders) {
      const sample = await measure(contender).catch((error: Error) => error.message);
      samples[contender.name].push(sample);
      const shown = typeof sample === "string"
        ? `FAILED: ${sample}`
        : Object.entries(sample).map(([name, value]) => `${name} ${figure(value)}`).join(", ");
      say(`${title}, round ${round} of ${rounds}, ${contender.name}: ${shown}`);
      // Connections that just closed are still being cleared away.
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  return samples;
}

/** One figure of all contenders: round by round (null where the run failed), and the median. */
export interface Series {
  readonly values: Readonly<Record<Name, readonly (number | null)[]>>;
  readonly medians: Readonly<Record<Name, number | null>>;
  /** To `ssh -R` of the same round. */
  readonly ratios: Readonly<Record<Name, Ratio>>;
}

export interface Ratio {
  readonly values: readonly (number | null)[];
  readonly median: number | null;
}

/** Picks one figure out of the samples. `overDirect`: what it is more than that of the direct way in the same round. */
export function seriesOf(samples: Samples, part: string, overDirect = false): Series {
  const plain = (name: Name) => samples[name].map((sample) => typeof sample === "string" ? null : sample[part] ?? null);
  const direct = plain("direct");
  const values = perName((name) => {
    if (!overDirect) return plain(name);
    return name === "direct" ? direct.map(() => null) : combine(plain(name), direct, (own, base) => own - base);
  });
  return {
    values,
    medians: perName((name) => median(values[name])),
    ratios: perName((name) => {
      const ratios = combine(values[name], values.ssh, (own, ssh) => ssh > 0 ? own / ssh : null);
      return { values: ratios, median: median(ratios) };
    }),
  };
}

/** Null where any of them is missing: a contender that failed once has no median. */
export function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0 || sorted.length < values.length) return null;
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = sorted.length % 2 === 1
    ? [sorted[middle], sorted[middle]]
    : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

export function perName<T>(value: (name: Name) => T): Record<Name, T> {
  return Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Record<Name, T>;
}

function combine(
  a: readonly (number | null)[],
  b: readonly (number | null)[],
  how: (a: number, b: number) => number | null,
): (number | null)[] {
  return a.map((value, round) => {
    const other = b[round];
    return value === null || other === null || other === undefined ? null : how(value, other);
  });
}
