import { LOG_LEVELS } from "../../control/daemon_words.ts";
import type { Role } from "../../platform/folder_lock.ts";
import type { Command, Option } from "./command.ts";
import { config, json, verbose } from "./common_options.ts";

const wait: Record<string, Option> = {
  wait: { type: "string", value: "TIME", help: "how long to wait until it is ready (default 30s)" },
};
const timeout: Record<string, Option> = {
  timeout: { type: "string", value: "TIME", help: "how long to wait until it has stopped (default 60s)" },
};

const READY: Readonly<Record<Role, readonly string[]>> = {
  server: [
    "Waits until it listens on all of its ports. Exit code 0 when it is ready, also where it was running already; 1 otherwise, with the reason.",
  ],
  client: [
    "Waits until callers can reach the service: the tunnel is up, and a probe went from the server through it to the service and back.",
    "Exit code 0 when it is ready, also where it was running already. 1 when that is not so within --wait: then it says what is missing, and the client goes on trying in the background.",
  ],
};

/** The commands that steer a daemon in the background; the same for both. */
export function daemonCommands(role: Role): Command[] {
  return [
    {
      path: [role, "start"],
      summary: `Start the ${role} in the background, and wait until it is ready`,
      description: [
        ...READY[role],
        "--json prints {pid, listen, api, endpoints, ready, missing, started}: listen is the command port, api that of the REST API; started is false where it was running already; paused names the tenants that are, where there are any.",
      ],
      options: { ...config, ...verbose, ...json, ...wait },
      examples: [`petit ${role} start`, `petit ${role} start --wait 2m --json`],
      run: async (invocation) => (await import("../daemon/daemon_start.ts")).startDaemon(role, invocation),
    },
    {
      path: [role, "stop"],
      summary: `Stop the ${role}: what is in progress may go on for [${role}] drainFor at most`,
      description: [
        "Waits until it has stopped. Exit code 3 where it is not running.",
        "--json prints {pid, stopped}.",
      ],
      options: { ...config, ...json, ...timeout },
      examples: [`petit ${role} stop`, `petit ${role} stop --timeout 5s`],
      run: async (invocation) => (await import("../daemon/daemon_stop.ts")).stopDaemon(role, invocation),
    },
    {
      path: [role, "restart"],
      summary: `Start the ${role} anew, without refusing anybody in between`,
      description: [
        "A new process takes the place of the running one, with its config and executable of today. It takes over the ports at once, and what is in progress goes on in the old process for drainFor at most.",
        "Where the new process cannot start, the old one goes on. Where none can take over (on Windows, in a container whose first process it is), the daemon is stopped and started.",
        "Prints what start prints.",
      ],
      options: { ...config, ...verbose, ...json, ...timeout, ...wait },
      examples: [`petit ${role} restart`],
      run: async (invocation) => (await import("../daemon/daemon_restart.ts")).restartDaemon(role, invocation),
    },
    {
      path: [role, "reload"],
      summary: "Have it read its config again, without a restart",
      description: [
        "Tunnels and connections that need not change stay as they are. A config that cannot be used changes nothing.",
        "--json prints {changed, restartNeeded}: settings that are in force now, and those that will be after a restart.",
      ],
      options: { ...config, ...json },
      examples: [`petit ${role} reload`],
      run: async (invocation) => (await import("../daemon/daemon_ask.ts")).reloadDaemon(role, invocation),
    },
    {
      path: [role, "log"],
      arguments: "LEVEL",
      maxArguments: 1,
      argumentChoices: [LOG_LEVELS],
      summary: "Set how much it logs, until it is restarted",
      description: [`Levels: ${LOG_LEVELS.join(", ")}. --json prints {level}.`],
      options: { ...config, ...json },
      examples: [`petit ${role} log debug`],
      run: async (invocation) => (await import("../daemon/daemon_ask.ts")).setLogLevel(role, invocation),
    },
  ];
}
