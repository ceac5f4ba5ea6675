import { z } from "zod";
import { latencyQuantile } from "./latency.ts";
import type { Outcome } from "./outcome.ts";
import { UsageFigures } from "./usage_figures.ts";
import type { UsageRange, UsageRecord } from "./usage_record.ts";

/**
 * What the REST API answers from the usage record. In 0.6.x /usage/:id was a list of single requests with their fields, of
 * which nothing was ever stored by its Redis registry; the record keeps figures only, so there is a series in its place. /stats/:id
 * keeps its three numbers and has more beside them; /counts/… are as they were: {"count": n}.
 */

const count = (what: string) => z.int().min(0).describe(what);
const counts = (what: string) => z.record(z.string(), z.int().min(0)).describe(what);
const milliseconds = (what: string) =>
  z.number().nullable().describe(`${what}, in milliseconds; null where nothing answered`);

const figures = {
  requests: count("Requests of callers to the HTTP and HTTPS proxy"),
  connections: count("Connections to the reverse port"),
  bytesIn: count("Bytes from callers, heads included"),
  bytesOut: count("Bytes to callers, heads included"),
  statuses: counts(
    'Requests by class of the status they were answered with: "2xx" and so on; "none" without an answer',
  ),
  causes: counts(
    'What went wrong, by code: that of a refusal or of a broken answer, "caller-left", "server-stopped", "reset"',
  ),
  latency: z.object({
    p50: milliseconds("Half of the services' answers began within this time"),
    p90: milliseconds("90 % did within this time"),
    p99: milliseconds("99 % did within this time"),
  }).describe("Time until the service's answer began, at most 5 % off"),
};

export const usageAnswer = z.object({
  id: z.string(),
  start: z.int().describe("In milliseconds since 1970"),
  end: z.int().describe("In milliseconds since 1970"),
  bucket: z.int().describe("Length of each stretch of the series, in milliseconds"),
  series: z.array(z.object({
    timestamp: z.int().describe("Beginning of the stretch, in milliseconds since 1970"),
    date: z.string().describe("The same in ISO 8601"),
    ...figures,
  })).describe("Stretches in which anything happened, in order"),
  totals: z.object(figures),
});
export type UsageAnswer = z.output<typeof usageAnswer>;

export const statsAnswer = z.object({
  successes: count("Requests that the service answered below 400 (petit 0.6: with 200)"),
  errors: count(
    "Requests that the service answered with 400 or more or broke off, or that were refused for what the caller sent",
  ),
  unavailables: count("Requests for which the service could not be reached"),
  left: count("Requests whose caller left before the answer was complete"),
  ...figures,
});
export type StatsAnswer = z.output<typeof statsAnswer>;

export const countAnswer = z.object({ count: count("How many there are") });
export type CountAnswer = z.output<typeof countAnswer>;

/** The `?type=` that 0.6.x knows, and the outcomes that it adds up; without one or with another it counts successes. */
export const COUNT_TYPES: Readonly<Record<string, readonly Outcome[]>> = {
  success: ["success"],
  error: ["error"],
  unavailable: ["unavailable"],
  errors: ["error", "unavailable"],
  requests: ["success", "error", "unavailable", "left"],
};

/**
 * GET /usage/:id.
 *
 * @param step milliseconds that buckets are put together to, if that is more than one bucket
 * @throws PetitError `usage-unusable`
 */
export async function answerUsage(record: UsageRecord, id: string, range: UsageRange, step = 0): Promise<UsageAnswer> {
  const length = Math.max(record.bucket, step);
  const totals = new UsageFigures();
  const series = new Map<number, UsageFigures>();
  for (const [bucket, found] of await record.usageOf(id, range)) {
    totals.merge(found);
    const begin = length > record.bucket ? Math.floor(bucket / length) * length : bucket;
    const known = series.get(begin);
    if (known === undefined) series.set(begin, found);
    else known.merge(found);
  }
  return {
    id,
    ...range,
    bucket: length,
    series: [...series].map(([timestamp, found]) => ({
      timestamp,
      date: new Date(timestamp).toISOString(),
      ...shown(found),
    })),
    totals: shown(totals),
  };
}

/** GET /stats/:id. @throws PetitError `usage-unusable` */
export async function answerStats(record: UsageRecord, id: string, range: UsageRange): Promise<StatsAnswer> {
  const totals = new UsageFigures();
  for (const found of (await record.usageOf(id, range)).values()) totals.merge(found);
  return {
    successes: totals.count(["success"]),
    errors: totals.count(["error"]),
    unavailables: totals.count(["unavailable"]),
    left: totals.count(["left"]),
    ...shown(totals),
  };
}

/**
 * GET /counts/errors and /counts/requests.
 *
 * @param type of {@link COUNT_TYPES}; "errors" and "requests" are those of the two paths
 * @param code only requests that were answered with this status
 * @param brand null for all; 0.6.x takes "ce" where the header elements-g2c-brand is missing
 * @throws PetitError `usage-unusable`
 */
export async function answerCount(
  record: UsageRecord,
  range: UsageRange,
  { type, code, brand }: { type: string; code?: number | undefined; brand: string | null },
): Promise<CountAnswer> {
  const outcomes = Object.hasOwn(COUNT_TYPES, type) ? COUNT_TYPES[type] : undefined;
  return { count: await record.requests(range, brand, outcomes ?? ["success"], code) };
}

/** GET /counts/registers: registrations that were made. /counts/registrations asks the registry. @throws PetitError `usage-unusable` */
export async function answerRegisters(
  record: UsageRecord,
  range: UsageRange,
  brand: string | null,
): Promise<CountAnswer> {
  return { count: await record.registers(range, brand) };
}

function shown(found: UsageFigures) {
  const { requests, connections, bytesIn, bytesOut, statusClasses: statuses, errors, latency } = found;
  return {
    requests,
    connections,
    bytesIn,
    bytesOut,
    statuses,
    causes: Object.fromEntries(errors),
    latency: {
      p50: latencyQuantile(latency, 0.5),
      p90: latencyQuantile(latency, 0.9),
      p99: latencyQuantile(latency, 0.99),
    },
  };
}
