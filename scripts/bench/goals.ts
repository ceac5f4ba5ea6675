import { type Name, TITLES } from "./contenders.ts";
import { ATTACK_RATE, type AttackName, ATTACKS } from "./measure_logins.ts";
import type { Results } from "./results.ts";
import { median } from "./rounds.ts";

/** What petit is meant to reach, and what it did. */
export interface Goal {
  readonly what: string;
  readonly wanted: string;
  /** Null where it could not be measured. */
  readonly got: number | null;
  /** The lowest and the highest of all rounds. */
  readonly range: readonly [number, number] | null;
  readonly unit: string;
  readonly reached: boolean;
}

type Found = Pick<Results, "rows" | "memory" | "clients" | "usage" | "access" | "logins" | "former" | "options">;
type Values = readonly (number | null)[];

/** The goals of what was measured. Kilobytes and megabytes are those of 1,000. */
export function judge(found: Found): Goal[] {
  const goals = [
    ...ratio(found, "keepalive", "proxy", 3.5),
    ...ratio(found, "keepalive", "raw", 5),
    ...ratio(found, "new", "proxy", 2),
    ...ratio(found, "download", "proxy", 0.6),
    ...ratio(found, "download", "raw", 0.7),
  ];
  const server = found.memory.find(({ name }) => name === "petit server");
  if (server !== undefined) {
    goals.push(atMost("memory of the server after all of it", [server.after.resident / 1e6], 150, "MB"));
  }
  if (found.options.parts.includes("clients")) {
    const count = found.options.clients.toLocaleString("en");
    const { clients } = found;
    goals.push(
      atMost(`${count} clients: memory of the server for each`, clients.map((one) => one.perClient / 1000), 80, "kB"),
      atMost(`${count} clients: all connected`, clients.map((one) => one.seconds), 5, "s"),
    );
  }
  if (found.options.parts.includes("usage")) {
    goals.push(
      atMost("usage record: requests/s that it costs", found.usage.map(({ on, off }) => (1 - on / off) * 100), 5, "%"),
    );
  }
  for (const name of found.logins.length > 0 ? Object.keys(ATTACKS) as AttackName[] : []) {
    const values = found.logins.map(({ attacks: { [name]: { calm, attacked } } }) => attacked / calm);
    goals.push(atMost(`${ATTACK_RATE} bad logins/s (${name}): 99 % of the requests`, values, 2, "× the calm"));
  }
  if (found.options.parts.includes("access")) {
    for (const guard of ["cidr", "bearer"] as const) {
      const costs = found.access.map((sample) => (1 - sample[guard].rateToOpen) * 100);
      const parts = found.access.map((sample) => sample[guard].check / sample.open.cpu / 10);
      goals.push(
        atMost(`access by ${guard}: requests/s that it costs`, costs, 3, "%"),
        atMost(`access by ${guard}: the check alone, of the server's time for a request`, parts, 3, "%"),
      );
    }
  }
  if (found.former.length > 0) {
    const times = (key: "rate" | "p50") => found.former.map(({ petit, former }) => petit[key] / former[key]);
    const failed = found.former.map(({ petit }) => petit.failed + petit.askedInVain);
    goals.push(
      atLeast("proxied requests/s", times("rate"), 12, "× those of 0.6.34", "×"),
      atMost("median latency", times("p50"), 0.1, "× that of 0.6.34", "×"),
      atMost("failed requests, also where 0.6.34 dies", failed, 0, "requests"),
    );
  }
  return goals;
}

function ratio({ rows }: Found, key: string, name: Name, wanted: number): Goal[] {
  const row = rows.find((row) => row.key === key);
  if (row === undefined) return [];
  const { values } = row.series.ratios[name];
  return [atLeast(`${row.title}, ${TITLES[name]}`, values, wanted, "× ssh -R", "×")];
}

/** @param of what is wanted, told in full; `unit` is the figure's own */
function atLeast(what: string, values: Values, wanted: number, of: string, unit: string): Goal {
  const got = median(values);
  const reached = got !== null && got >= wanted;
  return { what, wanted: `at least ${wanted} ${of}`, got, range: rangeOf(values), unit, reached };
}

function atMost(what: string, values: Values, wanted: number, of: string, unit = of): Goal {
  const got = median(values);
  const reached = got !== null && got <= wanted;
  return { what, wanted: `at most ${wanted} ${of}`, got, range: rangeOf(values), unit, reached };
}

function rangeOf(values: Values): [number, number] | null {
  const measured = values.filter((value) => value !== null);
  return measured.length === 0 ? null : [Math.min(...measured), Math.max(...measured)];
}
