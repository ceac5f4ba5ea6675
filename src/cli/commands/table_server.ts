import type { Command } from "./command.ts";
import { serverCheckCommand } from "./table_diagnosis.ts";
import { config, json, verbose } from "./common_options.ts";
import { accessCommands } from "./table_access.ts";
import { auditCommands } from "./table_audit.ts";
import { daemonCommands } from "./table_daemon.ts";
import { hostKeyCommands } from "./table_host_key.ts";
import { registrationCommands } from "./table_registrations.ts";
import { registryCommands } from "./table_registry.ts";
import { serverConfigCommand } from "./table_tenants.ts";
import { tokenCommands } from "./table_tokens.ts";

/** The commands of the server, in the order of the help. */
export const serverCommands: readonly Command[] = [
  {
    path: ["server"],
    summary: "Run the server in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit server", "petit server -c /etc/petit/config.toml"],
    run: async (invocation) => (await import("../server/server_run.ts")).serverRun(invocation),
  },
  {
    path: ["server", "run"],
    summary: "Run the server in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit server run -c /etc/petit/config.toml"],
    run: async (invocation) => (await import("../server/server_run.ts")).serverRun(invocation),
  },
  {
    path: ["server", "init"],
    summary: "Write a server's config, host key and registry",
    options: {
      ...config,
      host: {
        type: "string",
        value: "NAME",
        help: "name or address of this machine as clients reach it (default localhost)",
      },
    },
    examples: ["petit server init --host petit.example.com"],
    run: async (invocation) => (await import("../server/server_init.ts")).serverInit(invocation),
  },
  {
    path: ["server", "join"],
    summary: "Print a join code, for a client to register with",
    options: {
      ...config,
      ...json,
      uses: { type: "string", value: "N", help: "how many clients may use it (default 1)" },
      expires: { type: "string", value: "TIME", help: "how long it is good for (default 24h)" },
      brand: { type: "string", value: "B", help: "only for clients of this brand" },
      host: { type: "string", value: "NAME", help: "name or address to put into it, instead of [server] publicHost" },
    },
    examples: ["petit server join", "petit server join --uses 20 --expires 7d --json"],
    run: async (invocation) => (await import("../server/server_join.ts")).serverJoin(invocation),
  },
  ...daemonCommands("server"),
  {
    path: ["server", "addalias"],
    arguments: "ID ALIAS",
    maxArguments: 2,
    summary: "Reach a registration under another host name too",
    options: config,
    examples: ["petit server addalias 1001 db.example.com"],
    run: async (invocation) => (await import("../server/server_alias.ts")).addAlias(invocation),
  },
  {
    path: ["server", "removealias"],
    arguments: "ID ALIAS",
    maxArguments: 2,
    summary: "Take such a host name away",
    options: config,
    examples: ["petit server removealias 1001 db.example.com"],
    run: async (invocation) => (await import("../server/server_alias.ts")).removeAlias(invocation),
  },
  ...tokenCommands("server"),
  ...registrationCommands,
  ...accessCommands,
  ...hostKeyCommands,
  ...registryCommands,
  ...auditCommands,
  serverConfigCommand,
  serverCheckCommand,
];
