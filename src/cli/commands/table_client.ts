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
      '"id", "port", "dir", "endpoint", "local": {"host", "port", "tls"}, "served", "paused": null or since when}], "fingerprint", "vitae", "server": {"host", "port", "vitae"}, ' +
      '"tunnel": null or {"since", "channels"}, "paused": null or since when, "waiting": null or {"code", "reason", "nextAttempt"}}.',
    ],
    options: { ...config, ...json },
    examples: ["petit client status"],
    run: async (invocation) => (await import("../client/client_status.ts")).clientStatus(invocation),
  },
  {
    path: ["client", "pause"],
    summary: "Let nobody in any more, until resume",
    description: [
      "Ends the connections that are open, unless --drain is given. The tunnel stays up, so that the server can tell callers. A client that is started " +
      "again stays paused; one that does not run is paused for when it does.",
      'With --json: {"paused": since when, "ended": connections, "daemon": "told" or "not running"}.',
    ],
    options: {
      ...config,
      ...json,
      tenant: { type: "string", short: "t", value: "TENANT", help: "only this tenant" },
      drain: { type: "boolean", help: "let connections that are open go on to their end" },
    },
    examples: ["petit client pause", "petit client pause -t shop --drain"],
    run: async (invocation) => (await import("../client/client_pause.ts")).clientPause(invocation),
  },
  {
    path: ["client", "resume"],
    summary: "Let callers in again",
    description: [
      "Tenants that were paused by themselves stay so until they are named.",
      'With --json: {"paused": tenants that still are, "daemon": "told" or "not running"}.',
    ],
    options: {
      ...config,
      ...json,
      tenant: { type: "string", short: "t", value: "TENANT", help: "only this tenant" },
    },
    examples: ["petit client resume", "petit client resume -t shop"],
    run: async (invocation) => (await import("../client/client_pause.ts")).clientResume(invocation),
  },
  {
    path: ["client", "inbound"],
    summary: "Show the connections that came in last",
    description: [
      "From the log that the client keeps of them, logs/inbound.log; it need not run. Where the client reads the requests ([client.allow] methods or " +
      "paths), each of them is a line too. What is still open is not there yet.",
      "With --json the lines as they stand in the log, one object each.",
    ],
    options: {
      ...config,
      ...json,
      lines: { type: "string", short: "n", value: "COUNT", help: "how many (default 20)" },
    },
    examples: ["petit client inbound", "petit client inbound -n 1000 --json"],
    run: async (invocation) => (await import("../client/client_inbound.ts")).clientInbound(invocation),
  },
  ...tokenCommands("client"),
  ...diagnosisCommands,
];
