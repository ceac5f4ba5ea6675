import { PetitError } from "../error.ts";
import type { UsageRange } from "./usage_record.ts";

/** Where no start is given: 30 days, as in 0.6.x. */
const DEFAULT_LENGTH = 30 * 24 * 3_600_000;

/** What a date may be before and after 1970, in milliseconds (ECMAScript, section 21.4.1.1). */
const MOST = 8.64e15;

/**
 * The stretch of time that `?start=` and `?end=` name: each a date ("2026-01-31", "2026-01-31T12:00:00Z", or any other
 * that JavaScript knows) or milliseconds since 1970. Without an end it is now; without a start, 30 days before the end.
 *
 * @throws PetitError `range-invalid`
 */
export function usageRange(start: string | undefined, end: string | undefined, now: number): UsageRange {
  const last = end === undefined ? now : moment("end", end);
  const first = start === undefined ? Math.max(-MOST, last - DEFAULT_LENGTH) : moment("start", start);
  if (first > last) throw new PetitError("range-invalid", `The start "${start}" is later than the end`);
  return { start: first, end: last };
}

function moment(name: string, text: string): number {
  const time = /^\d{11,16}$/.test(text) ? Number(text) : new Date(text).getTime();
  if (!(Math.abs(time) <= MOST)) {
    throw new PetitError("range-invalid", `The ${name} "${text.slice(0, 80)}" is not a date`, {
      hint: 'Give it as "2026-01-31", "2026-01-31T12:00:00Z", or in milliseconds since 1970',
    });
  }
  return time;
}
