import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Need } from "./peer_test.ts";

/** The folder with the programs of 0.6.34, such as node_modules/.bin of a folder where npm has installed it. */
const FOLDER = process.env["PETIT_FORMER"];

export type FormerProgram = "petit-server" | "petit-serverd" | "petit-client" | "petit-clientd";

/** Where a program of 0.6.34 is. */
export function formerProgram(name: FormerProgram): string {
  if (FOLDER === undefined) throw new Error("PETIT_FORMER does not name the folder of the programs of 0.6.x");
  return join(FOLDER, name);
}

/** Its dependencies call what Node has deprecated, and would say so. */
export const FORMER_ENV = { NODE_OPTIONS: "--no-deprecation" };

const PROGRAMS: Need = {
  name: "the programs of 0.6.34 in the folder that PETIT_FORMER names",
  met: () => FOLDER !== undefined && existsSync(formerProgram("petit-serverd")),
};

/** What a test with a client of 0.6.34 needs. */
export const FORMER_CLIENT: (string | Need)[] = [PROGRAMS];

/** What a test with a server of 0.6.34 needs. */
export const FORMER_SERVER: (string | Need)[] = [PROGRAMS, "redis-server", "redis-cli", "sshd", "ssh-keygen"];
