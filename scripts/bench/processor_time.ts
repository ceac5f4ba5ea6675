import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds } from "./proc.ts";

/**
 * Processor time that these processes use each second, beginning now. What it needs is read before so many seconds are over:
 * a server that dies with the end of the load takes its times along.
 */
export async function processorTime(pids: readonly number[], seconds: number): Promise<number> {
  const margin = seconds * 0.15;
  const read = async (wait: number) => {
    await sleep(wait * 1000);
    return { used: cpuSeconds(pids), at: performance.now() / 1000 };
  };
  const from = await read(margin);
  const to = await read(seconds - 2 * margin);
  return (to.used - from.used) / (to.at - from.at);
}
