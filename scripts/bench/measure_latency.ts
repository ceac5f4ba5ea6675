import { join } from "node:path";
import process from "node:process";
import type { Contender } from "./contenders.ts";
import { must } from "./processes.ts";
import type { Sample } from "./rounds.ts";

/** Requests per second; far below what any contender can do. */
export const LATENCY_RATE = 500;

const CALLER = join(import.meta.dirname, "fixed_rate_caller.ts");

/** Milliseconds from when a request was due until its answer was there. @throws Error where a request went wrong */
export async function measureLatency({ port, host }: Contender, path: string, seconds: number): Promise<Sample> {
  const args = [port, host, path, LATENCY_RATE, seconds].map(String);
  return JSON.parse(await must([process.execPath, CALLER, ...args])) as Sample;
}
