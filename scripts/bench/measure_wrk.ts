import type { Contender } from "./contenders.ts";
import { cpuSeconds } from "./proc.ts";
import { run } from "./processes.ts";
import type { Sample } from "./rounds.ts";

export interface WrkOptions {
  readonly wrk: string;
  readonly connections: number;
  readonly seconds: number;
  /** A new connection for each request. */
  readonly close: boolean;
  readonly path: string;
  /** Bytes of each answer's body. */
  readonly size: number;
  /** More field lines of each request. */
  readonly fields?: readonly string[];
}

/**
 * Requests per second, as many as wrk can get through, and the processor time of both ends for 1,000 requests.
 *
 * @throws Error where a single request went wrong
 */
export async function measureWrk(contender: Contender, options: WrkOptions): Promise<Sample> {
  const { port, host, carriers } = contender;
  const pids = carriers.map(({ pids }) => pids());
  const before = pids.map(cpuSeconds);
  const { code, stdout, stderr } = await run([
    options.wrk,
    ...["-t1", `-c${options.connections}`, `-d${options.seconds}s`, "--timeout", "10s", "-H", `Host: ${host}`],
    ...(options.close ? ["-H", "Connection: close"] : []),
    ...(options.fields ?? []).flatMap((line) => ["-H", line]),
    `http://127.0.0.1:${port}${options.path}`,
  ]);
  const after = pids.map(cpuSeconds);
  if (code !== 0) throw new Error(`wrk ended with ${code}: ${stderr.trim()}`);
  const fault = /^\s*(?:Socket errors|Non-2xx).*$/m.exec(stdout);
  if (fault !== null) throw new Error(fault[0].trim());
  const [, count = "0", amount = "0", unit = ""] = /(\d+) requests in [^,]+, ([\d.]+)(\w+) read/.exec(stdout) ?? [];
  const requests = Number(count);
  if (requests === 0) throw new Error(`wrk got no answer:\n${stdout}`);
  // wrk checks the status only. It rounds the amount to two decimals.
  if (Number(amount) * bytesIn(unit) < requests * options.size * 0.99) {
    throw new Error(`answers were too short:\n${stdout}`);
  }
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    ...Object.fromEntries(carriers.map(({ end }, index) => [
      `${end}Cpu`,
      ((after[index] ?? 0) - (before[index] ?? 0)) / requests * 1000,
    ])),
  };
}

function bytesIn(unit: string): number {
  return 1024 ** Math.max(0, ["B", "KB", "MB", "GB", "TB"].indexOf(unit));
}
