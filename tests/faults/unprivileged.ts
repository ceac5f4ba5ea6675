import { spawnSync } from "node:child_process";
import process from "node:process";

const WITHOUT = "-dac_override,-dac_read_search";

/** Words that start a program to which file modes mean something, as they do not to root; undefined where there are none. */
export const UNPRIVILEGED: readonly string[] | undefined = process.platform === "win32"
  ? undefined
  : process.getuid?.() !== 0
  ? ["env"]
  : found(["setpriv", `--bounding-set=${WITHOUT}`, `--inh-caps=${WITHOUT}`]);

function found(words: [string, ...string[]]): readonly string[] | undefined {
  const [program, ...args] = words;
  return spawnSync(program, [...args, "true"]).status === 0 ? words : undefined;
}
