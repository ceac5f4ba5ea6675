import process from "node:process";
import { paint } from "./colours.ts";
import { canRewrite } from "./terminal.ts";

/** What one step came to: its result, and what to tell about it. */
export interface Done<T> {
  readonly result: T;
  readonly told: string;
}

/** Shows a person one step after the other, with how long each took. */
export interface Steps {
  step<T>(name: string, work: () => Promise<Done<T>>): Promise<T>;
  say(lines: readonly string[]): void;
}

/** Steps on standard output: shown as they happen on a terminal, one line each elsewhere. */
export function terminalSteps(): Steps {
  const out = process.stdout;
  const live = canRewrite(out);
  const again = live ? "\r\x1b[K" : "";
  return {
    async step(name, work) {
      const label = name.padEnd(18);
      const begun = performance.now();
      if (live) out.write(`${paint("yellow", "…")} ${label}`);
      try {
        const { result, told } = await work();
        const took = `${(performance.now() - begun).toFixed(1)} ms`.padStart(10);
        out.write(`${again}${paint("green", "✓")} ${label}${paint("dim", took)}  ${told}\n`);
        return result;
      } catch (error) {
        out.write(`${again}${paint("red", "✗")} ${label}\n`);
        throw error;
      }
    },
    say(lines) {
      out.write(`${lines.join("\n")}\n`);
    },
  };
}
