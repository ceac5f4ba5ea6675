import type { Command } from "./command.ts";
import { config, json, verbose } from "./common_options.ts";
import { daemonCommands } from "./table_daemon.ts";
import { diagnosisCommands } from "./table_diagnosis.ts";
import { tenantCommands } from "./table_tenants.ts";
import { tokenCommands } from "./table_tokens.ts";

/** The commands of the client, in the order of the help. */
export const clientCommands: readonly Command[] = [
  {
    path: ["client"],
    summary: "Run the client in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit client"],
    run: async (invocation) => (await import("../client/client_run.ts")).clientRun(invocation),
  },
  {
    path: ["client", "run"],
    summary: "Run the client in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit client run -c /etc/petit/config.toml"],
    run: async (invocation) => (await import("../client/client_run.ts")).clientRun(invocation),
  },
  {
    path: ["client", "init"],
    summary: "Write a client's config and make its key",
    options: {
      ...config,
      server: { type: "string", value: "HOST[:PORT]", help: "the server to connect to; a join code sets it too" },
      local: { type: "string", value: "HOST:PORT", help: "the private service (default localhost:8080)" },
    },
    examples: ["petit client init --local localhost:5432"],
    run: async (invocation) => (await import("../client/client_init.ts")).clientInit(invocation),
  },
  ...tenantCommands,
  ...daemonCommands("client"),
  {
    path: ["client", "status"],
    summary: "Show the client, its tunnel and its tenants",
    description: [
      "The client has to be running; exit code 3 says that it is not.",
      'With --json: {"status": "running" with a tunnel, "listening" without one or "stopping", "version", "pid", "startedAt", "registration": [{"tenant", ' +
      '"id", "port", "dir", "endpoint", "local": {"host", "port", "tls"}, "served"}], "fingerprint", "vitae", "server": {"host", "port", "vitae"}, ' +
      '"tunnel": null or {"since", "channels"}, "waiting": null or {"code", "reason", "nextAttempt"}}.',
    ],
    options: { ...config, ...json },
    examples: ["petit client status"],
    run: async (invocation) => (await import("../client/client_status.ts")).clientStatus(invocation),
  },
  ...tokenCommands("client"),
  ...diagnosisCommands,
];
