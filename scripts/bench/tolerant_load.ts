import { run } from "./processes.ts";

/** What wrk got through. */
export interface Load {
  /** Requests per second that were answered as they should be. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

/** As many requests as wrk can get through. Those that fail are counted, and do not end it. */
export async function tolerantLoad(
  wrk: string,
  connections: number,
  seconds: number,
  { port, host, path }: { port: number; host: string; path: string },
): Promise<Load> {
  const { code, stdout, stderr } = await run([
    wrk,
    ...["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "10s", "--latency", "-H", `Host: ${host}`],
    `http://127.0.0.1:${port}${path}`,
  ]);
  if (code !== 0) throw new Error(`wrk ended with ${code}: ${stderr.trim()}`);
  const count = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const [connect, read, write, timeout] = ["connect", "read", "write", "timeout"].map((kind) =>
    count(new RegExp(`Socket errors:.*${kind} (\\d+)`))
  ) as [number, number, number, number];
  const refused = count(/Non-2xx or 3xx responses: (\d+)/);
  return {
    rate: count(/Requests\/sec:\s+([\d.]+)/) * (1 - refused / Math.max(1, count(/(\d+) requests in/))),
    p50: milliseconds(stdout, "50%"),
    p99: milliseconds(stdout, "99%"),
    failed: refused + connect + read + write + timeout,
  };
}

/** A line of wrk's distribution, such as "50%    1.62ms". */
function milliseconds(text: string, part: string): number {
  const [, value, unit] = new RegExp(`^\\s+${part}\\s+([\\d.]+)(us|ms|s|m)$`, "m").exec(text) ?? [];
  if (value === undefined || unit === undefined) throw new Error(`wrk told no latencies:\n${text}`);
  return Number(value) * { us: 0.001, ms: 1, s: 1000, m: 60_000 }[unit as "us" | "ms" | "s" | "m"];
}
