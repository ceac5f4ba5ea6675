import type { Settings } from "../../world/executable.ts";

/** What the daemons that get hostile input run with: nothing else may keep the inputs from reaching what reads them. */
export const FUZZ_SERVER_SETTINGS: Settings = {
  "server.ssh.loginGraceTime": "5s",
  "server.ssh.perSourcePenalty": "0s",
  "server.ssh.maxFailedLogins": 1_000_000,
  "server.holdFor": "1s",
  "server.keepPortFor": "1s",
  "server.headTimeout": "5s",
  "server.serviceTimeout": "5s",
};
