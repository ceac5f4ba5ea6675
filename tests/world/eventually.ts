import { setTimeout as sleep } from "node:timers/promises";

/** Polls for what no event tells of, until `check` holds; gives up after ten seconds. */
export async function eventually(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await check()) return;
    await sleep(20);
  }
  throw new Error(`Ten seconds have passed, and still not: ${what}`);
}
