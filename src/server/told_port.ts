import type { ServerConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";

/**
 * The gateway's port, for those who are to connect to it later.
 *
 * @param needed who needs it, as the beginning of a sentence
 * @throws PetitError `port-unknown` where the system chooses another one at each start
 */
export function toldPort({ ssh: { port } }: ServerConfig, needed: string): number {
  if (port !== 0) return port;
  throw new PetitError("port-unknown", `${needed} the gateway's port, and [server.ssh] port is 0`, {
    hint: "Set a fixed port",
  });
}
