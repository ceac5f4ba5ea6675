import type { Scope } from "../../tests/world/temporary_folder.ts";

/** Ends what was begun in it, the last first. */
export class Ending implements Scope {
  readonly #steps: (() => unknown)[] = [];
  readonly after: Scope["after"] = (step) => void this.#steps.push(step as () => unknown);

  async end(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step();
  }
}
