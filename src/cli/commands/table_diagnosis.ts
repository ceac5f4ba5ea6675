import type { Command, Option } from "./command.ts";
import { config, json } from "./common_options.ts";

const pace: Record<string, Option> = {
  count: { type: "string", short: "n", value: "COUNT", help: "how many probes, 0 until Ctrl-C (default 4)" },
  interval: { type: "string", short: "i", value: "SECONDS", help: "from one probe to the next (default 1)" },
};

const tenant: Record<string, Option> = {
  tenant: { type: "string", short: "t", value: "TENANT", help: "only this tenant" },
};

/** What --json prints, with what is said of the whole and of each probe. */
const jsonOf = (whole: string, each: string) =>
  `With --json: {${whole}"sent", "answered", "loss": percent, "milliseconds": null or {"min", "avg", "max", "mdev"}, ` +
  `"probes": [{"seq", ${each}"milliseconds": null without an answer, "code", "error"}]}.`;

/** The commands with which a customer finds out what is wrong, in the order of the help. */
export const diagnosisCommands: readonly Command[] = [
  {
    path: ["client", "ping"],
    summary: "Ask the server for signs of life, like ping(8)",
    description: [
      "Logs in with this client's key, on a connection of its own: a tunnel that stands is left alone. Exit code 1 when nothing was answered.",
      jsonOf('"server": {"host", "port"}, "login": milliseconds, ', ""),
    ],
    options: { ...config, ...json, ...pace },
    examples: ["petit client ping", "petit client ping -n 100 -i 0.2"],
    run: async (invocation) => (await import("../client/client_ping.ts")).clientPing(invocation),
  },
  {
    path: ["client", "sping"],
    summary: "Ping the service through server and tunnel",
    description: [
      "The way is that of callers: server, tunnel, client, service. The client has to be running: exit code 3 says that it is not, 1 that nothing " +
      "was answered.",
      jsonOf("", '"tenant", "registeredId", '),
    ],
    options: { ...config, ...json, ...tenant, ...pace },
    examples: ["petit client sping", "petit sping -t books -n 20"],
    run: async (invocation) => (await import("../client/client_sping.ts")).clientSping(invocation),
  },
  {
    path: ["client", "check"],
    summary: "Say what is wrong with this client's set-up",
    description: [
      "Config, files, key, name resolution, the way to the server, its host key, login, registrations and services, one after the other, whether the " +
      "client is running or not. Exit code 0 when all is well.",
      'With --json: {"ok", "items": [{"name", "tenant": null or its name, "state": "ok", "warning", "failed" or "skipped", "detail", "code", "hint"}]}.',
    ],
    options: { ...config, ...json, ...tenant },
    examples: ["petit client check", "petit client check -t books"],
    run: async (invocation) => (await import("../client/client_check.ts")).clientCheck(invocation),
  },
];

/** What is wrong on the server's side. */
export const serverCheckCommand: Command = {
  path: ["server", "check"],
  summary: "Say what is wrong with this server's set-up",
  description: [
    'What stands in the config since 0.6, registry, host key, certificates and ports; where [server.ssh] mode is "openssh" also what the system\'s sshd lacks for tunnels, or allows besides them, with ' +
    "the lines for its sshd_config. Run as root, it asks sshd itself. Exit code 0 when nothing is in the way.",
    'With --json: {"ok", "items": [{"name", "state": "ok", "warning" or "failed", "detail", "hint", "line": for sshd_config}]}.',
  ],
  options: { ...config, ...json },
  examples: ["petit server check", "petit server check --json"],
  run: async (invocation) => (await import("../server/server_check.ts")).serverCheck(invocation),
};
