import type { Command, Option } from "./command.ts";
import { config, json } from "./common_options.ts";

const DAEMONS = [["server", "client"]];

const user: Record<string, Option> = {
  user: { type: "boolean", help: "for this user instead of the whole machine (the default where not run as root)" },
};

/** petit as a service of the operating system. */
export const serviceCommands: readonly Command[] = [
  {
    path: ["service", "install"],
    arguments: "server|client",
    maxArguments: 1,
    argumentChoices: DAEMONS,
    summary: "Have this system run a daemon",
    description: [
      "It is started with the machine, and again whenever it ends.",
      "Linux: a unit of systemd. macOS: a job of launchd. Windows: a task at boot, as SYSTEM. Doing it again brings what is installed up to date.",
    ],
    options: { ...config, ...user },
    examples: [
      "sudo petit service install server -c /etc/petit/config.toml",
      "petit service install client --user",
    ],
    run: async (invocation) => (await import("../service.ts")).installService(invocation),
  },
  {
    path: ["service", "uninstall"],
    arguments: "server|client",
    maxArguments: 1,
    argumentChoices: DAEMONS,
    summary: "Stop such a service and take it away",
    description: ["Config and state stay where they are."],
    options: user,
    examples: ["sudo petit service uninstall server"],
    run: async (invocation) => (await import("../service.ts")).uninstallService(invocation),
  },
  {
    path: ["service", "status"],
    arguments: "server|client",
    maxArguments: 1,
    argumentChoices: DAEMONS,
    summary: "Tell whether such a service runs",
    description: ["The exit code is 0 where it runs, and 3 where it does not or is not installed."],
    options: { ...user, ...json },
    examples: ["petit service status client", "petit service status server --json"],
    run: async (invocation) => (await import("../service.ts")).serviceStatus(invocation),
  },
];
