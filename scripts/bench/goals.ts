import type { Name } from "./contenders.ts";
import type { Results } from "./results.ts";
import { median } from "./rounds.ts";

/** What petit is meant to reach, and what it did. */
export interface Goal {
  readonly what: string;
  readonly wanted: string;
  /** Null where it could not be measured. */
  readonly got: number | null;
  readonly unit: string;
  readonly reached: boolean;
}

type Found = Pick<Results, "rows" | "memory" | "clients" | "options">;

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
    goals.push(atMost("memory of the server after all of it", server.after.resident / 1e6, 150, "MB"));
  }
  if (found.options.parts.includes("clients")) {
    const count = found.options.clients.toLocaleString("en");
    const of = (figure: "perClient" | "seconds") => median(found.clients.map((sample) => sample[figure]));
    const bytes = of("perClient");
    goals.push(
      atMost(`${count} clients: memory of the server for each`, bytes === null ? null : bytes / 1000, 80, "kB"),
      atMost(`${count} clients: all connected`, of("seconds"), 5, "s"),
    );
  }
  return goals;
}

function ratio({ rows }: Found, key: string, name: Name, wanted: number): Goal[] {
  const row = rows.find((row) => row.key === key);
  if (row === undefined) return [];
  const got = row.series.ratios[name].median;
  return [{
    what: `${row.title}, ${name === "proxy" ? "HTTP proxy" : "raw port"}`,
    wanted: `at least ${wanted} × ssh -R`,
    got,
    unit: "×",
    reached: got !== null && got >= wanted,
  }];
}

function atMost(what: string, got: number | null, wanted: number, unit: string): Goal {
  return { what, wanted: `at most ${wanted} ${unit}`, got, unit, reached: got !== null && got <= wanted };
}
