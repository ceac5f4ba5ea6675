import { setTimeout as sleep } from "node:timers/promises";
import type { FaultWorld } from "./fault_world.ts";
import type { Outcome } from "./outcome.ts";

/** Milliseconds within which a request is answered again once a fault is over. */
export const RECOVERY = 2000;

/** Milliseconds within which a peer that is silent is found dead. */
export const DETECTION = 10_000;

/** Milliseconds between two requests of somebody who waits for an answer. */
const EVERY = 50;

/**
 * Asks again and again, whether answers come or not, until the first is correct.
 *
 * @returns the milliseconds from now to then, or undefined where that is more than `bound`; and all outcomes there were
 */
export async function answeredAgain(
  world: Pick<FaultWorld, "caller">,
  bound = 30_000,
): Promise<{ milliseconds: number | undefined; outcomes: Outcome[] }> {
  const begun = performance.now();
  const outcomes: Outcome[] = [];
  let milliseconds: number | undefined;
  const asking: Promise<void>[] = [];
  while (milliseconds === undefined && performance.now() - begun < bound) {
    asking.push(
      world.caller().ask().then((outcome) => {
        outcomes.push(outcome);
        if (outcome.class === "correct") milliseconds ??= performance.now() - begun;
      }),
    );
    await Promise.race([sleep(EVERY), ...asking.slice(-1)]);
    // Refusals come at once; nobody asks in a loop without a pause.
    await sleep(milliseconds === undefined ? EVERY / 2 : 0);
  }
  await Promise.all(asking);
  return { milliseconds, outcomes };
}
