import { parseArgs } from "node:util";

/** What can be measured, in the order in which it is. */
export const PARTS = [
  "keepalive",
  "new",
  "download",
  "upload",
  "latency",
  "clients",
  "usage",
  "access",
  "flood",
  "logins",
  "former",
] as const;
export type Part = typeof PARTS[number];

/** Those that do not compare petit with `ssh -R`. */
export const APART = ["clients", "usage", "access", "flood", "logins", "former"] as const satisfies readonly Part[];

export function isApart(part: Part): part is typeof APART[number] {
  return APART.some((one) => one === part);
}

export interface Options {
  readonly parts: readonly Part[];
  readonly rounds: number;
  /** Seconds of one run of wrk. */
  readonly wrkSeconds: number;
  /** Seconds of one run of the caller with a fixed rate. */
  readonly latencySeconds: number;
  /** Bytes of a large download or upload. */
  readonly largeFile: number;
  /** Clients connected to one server at once. */
  readonly clients: number;
  /** Where the JSON goes, if anywhere. */
  readonly json: string | undefined;
}

/** A sentence for the person who typed the command. */
export class UsageError extends Error {}

export const USAGE = `npm run bench -- [--quick] [--only PART,…] [--rounds N] [--json FILE]

  --quick      one short round of everything, with smaller files: shows that it works, not how fast it is
  --only       ${PARTS.join(", ")}; several with commas
  --rounds N   rounds whose median is quoted (default 5)
  --json FILE  write every single value, the medians and the ratios to FILE`;

/** @throws UsageError */
export function parseOptions(args: string[]): Options | "help" {
  let values;
  try {
    values = parseArgs({
      args,
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string" },
        rounds: { type: "string" },
        json: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
  if (values.help) return "help";
  const wanted = values.only?.split(",").map((part) => part.trim()) ?? [...PARTS];
  const unknown = wanted.find((part) => !PARTS.some((known) => known === part));
  if (unknown !== undefined) throw new UsageError(`--only knows no "${unknown}"; it knows ${PARTS.join(", ")}`);
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError(`"${values.rounds}" is not a number of rounds`);
  return {
    parts: PARTS.filter((part) => wanted.includes(part)),
    rounds,
    wrkSeconds: values.quick ? 2 : 5,
    latencySeconds: values.quick ? 3 : 10,
    largeFile: (values.quick ? 256 : 1024) * 1024 ** 2,
    clients: values.quick ? 200 : 1000,
    json: values.json,
  };
}
