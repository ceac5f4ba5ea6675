import { z } from "zod";

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

/** The longest that a timer can wait, in milliseconds: 24 days. */
const LONGEST = 2 ** 31 - 1;

/** Milliseconds of a duration such as "250ms", "5s", "2m", "24h" or "7d"; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  return match ? exact(Number(match[1]) * (MILLISECONDS[match[2] as string] as number)) : undefined;
}

/** Bytes of a size such as "512B", "64KiB" or "10MiB"; undefined where it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,9})(B|KiB|MiB|GiB)$/.exec(text);
  return match ? exact(Number(match[1]) * (BYTES[match[2] as string] as number)) : undefined;
}

/** Undefined for what no number holds exactly: 285,000 years, or 8 PiB. */
function exact(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Milliseconds as a duration in the largest unit that fits: "90s", "24h". */
export function durationSetting(milliseconds: number): string {
  return inLargestUnit(milliseconds, MILLISECONDS);
}

/** Bytes as a size in the largest unit that fits: "10MiB". */
export function sizeSetting(bytes: number): string {
  return inLargestUnit(bytes, BYTES);
}

function inLargestUnit(value: number, units: Readonly<Record<string, number>>): string {
  const all = Object.entries(units);
  const smallest = all[0] as [string, number];
  // No time at all is written in seconds.
  const [name, size] = value === 0
    ? all.find(([unit]) => unit === "s") ?? smallest
    : all.findLast(([, size]) => value % size === 0) ?? smallest;
  return `${value / size}${name}`;
}

/** A duration in the config, as a string with a unit; milliseconds in the program. `least` and `most` in milliseconds. */
export const duration = (least = 1, most = LONGEST): z.ZodType<number, string> =>
  measured(
    (text) => {
      const milliseconds = parseDuration(text);
      return milliseconds !== undefined && milliseconds >= least && milliseconds <= most ? milliseconds : undefined;
    },
    'a duration with a unit, such as "500ms", "5s", "2m" or "24h"',
  );

/** A size in the config, as a string with a unit; bytes in the program. */
export const size = (): z.ZodType<number, string> =>
  measured(parseSize, 'a size with a unit, such as "64KiB" or "10MiB"');

function measured(parse: (text: string) => number | undefined, wanted: string): z.ZodType<number, string> {
  return z.string(`wanted ${wanted}`).transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue(`wanted ${wanted}`);
    return z.NEVER;
  });
}

/** A TCP port to listen on or connect to; 0 asks the system for a free one. */
export const port = (): z.ZodNumber => {
  const wanted = "wanted a port, a whole number from 0 to 65535";
  return z.int(wanted).min(0, wanted).max(65535, wanted);
};
