import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Background, background } from "../world/processes.ts";
import type { Scope } from "../world/temporary_folder.ts";
import { bothOutputs } from "./both_outputs.ts";
import type { Need } from "./peer_test.ts";

/** The folder with the programs of 0.6.34, such as node_modules/.bin of a folder where npm has installed it. */
const FOLDER = process.env["PETIT_FORMER"];

export type FormerProgram = "petit-server" | "petit-serverd" | "petit-client" | "petit-clientd";

/** Where a program of 0.6.34 is. */
export function formerProgram(name: FormerProgram): string {
  if (FOLDER === undefined) throw new Error("PETIT_FORMER does not name the folder of the programs of 0.6.x");
  return join(FOLDER, name);
}

/** What the programs of 0.6.34 run with. Their dependencies call what Node has deprecated, and would say so. */
export function formerEnv(home: string): Record<string, string> {
  return { HOME: home, NODE_OPTIONS: "--no-deprecation" };
}

/** What becomes of the log on standard output: lines to look at, or nothing, as with its own `petit-server start`. */
export type FormerOutput = "lines" | "none";

/** Starts a daemon of 0.6.34. */
export function launchFormer(
  scope: Scope,
  daemon: "petit-serverd" | "petit-clientd",
  config: string,
  home: string,
  output: FormerOutput,
  more: Record<string, string> = {},
): Background {
  const [program, args] = [formerProgram(daemon), ["-c", config]] as const;
  const env = { ...formerEnv(home), ...more };
  if (output === "lines") return bothOutputs(scope, program, [...args], { env });
  return background(scope, "sh", ["-c", 'exec "$0" "$@" >/dev/null', program, ...args], { env });
}

const PROGRAMS: Need = {
  name: "the programs of 0.6.34 in the folder that PETIT_FORMER names",
  met: () => FOLDER !== undefined && existsSync(formerProgram("petit-serverd")),
};

/** What a test with a client of 0.6.34 needs. */
export const FORMER_CLIENT: (string | Need)[] = [PROGRAMS];

/** What a test with a server of 0.6.34 needs. */
export const FORMER_SERVER: (string | Need)[] = [PROGRAMS, "redis-server", "redis-cli", "sshd", "ssh-keygen"];
