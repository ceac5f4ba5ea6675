import { after } from "node:test";
import type { Scope } from "./world.ts";

/** What several tests of a file share ends after the last of them: call this outside of tests and hooks. */
export function fileScope(): Scope {
  const steps: (() => unknown)[] = [];
  after(async () => {
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) await step();
  });
  return { after: (step) => void steps.push(step as () => unknown) };
}
