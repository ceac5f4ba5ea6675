import { paint } from "./colours.ts";

/** How a check's line begins, by what came of it. */
export const SIGNS = {
  ok: () => paint("green", "✓"),
  warning: () => paint("yellow", "!"),
  failed: () => paint("red", "✗"),
  skipped: () => paint("dim", "-"),
};

/** The last line of a check. @param failed how many items are */
export function verdict(failed: number): string {
  return failed === 0 ? "All is well" : failed === 1 ? "One thing is wrong" : `${failed} things are wrong`;
}
