import type { Command, Option } from "./command.ts";
import { config, json } from "./common_options.ts";

const tenant = (help: string): Record<string, Option> => ({
  tenant: { type: "string", short: "t", value: "TENANT", help },
});

const DAEMON = '"daemon": "reloaded", "not running" or "not told"';

/** The commands about tenants, the services of one client, in the order of the help. */
export const tenantCommands: readonly Command[] = [
  {
    path: ["client", "register"],
    arguments: "[JOIN-CODE|-]",
    maxArguments: 1,
    summary: "Register with the server that a join code names",
    description: [
      "Without -t the client's first service, [client.local]. A client that runs serves it at once.",
      'On a terminal it asks for the code, and "-" reads it from standard input: an argument can be seen by every user of this machine for as long as the command runs.',
      `With --json: {"tenant", "id", "port", "endpoint", "server": {"host", "port"}, ${DAEMON}}, and "notice" where it is not the registration that the client had before.`,
    ],
    options: {
      ...config,
      ...json,
      ...tenant('which of the services that "lease" has made'),
      local: { type: "string", value: "HOST:PORT", help: "the private service, if it is not in the config yet" },
      "host-key": {
        type: "string",
        value: "SHA256:…",
        help: "in place of a join code, which servers of petit 0.6 do not have: the host key of theirs",
      },
    },
    examples: [
      "petit client register",
      "petit client register - < code.txt",
      "petit client register petit-AYn2… -t shop",
    ],
    run: async (invocation) => (await import("../client/client_register.ts")).clientRegister(invocation),
  },
  {
    path: ["client", "unregister"],
    summary: "Give a registration back to the server",
    description: [
      "The server has to be reached; nothing is changed otherwise. Id and port stay this client's: registering again brings them back.",
      `With --json: {"unregistered": [{"tenant", "id", "port", "server": "unregistered", "unknown" or "not told"}], ${DAEMON}}.`,
    ],
    options: {
      ...config,
      ...json,
      registration: { type: "string", short: "r", value: "ID", help: "the one with this id" },
      ...tenant("that of this tenant"),
      all: { type: "boolean", short: "a", help: "all of them" },
      force: { type: "boolean", help: "forget it here also when the server cannot be told" },
    },
    examples: ["petit client unregister -t shop", "petit client unregister -r 1001", "petit client unregister -a"],
    run: async (invocation) => (await import("../client/client_unregister.ts")).clientUnregister(invocation),
  },
  {
    path: ["client", "tenants"],
    summary: "List the services of this client, and which of them are served",
    description: [
      'With --json: [{"tenant", "id", "port", "dir", "endpoint", "local": {"host", "port", "tls"}, "served", "paused": null or since when}]; id, port and endpoint are ' +
      'null while it is not registered; "served" is whether the running client\'s tunnel carries it.',
    ],
    options: { ...config, ...json },
    examples: ["petit client tenants", "petit client tenants --json"],
    run: async (invocation) => (await import("../client/client_tenants.ts")).clientTenants(invocation),
  },
  {
    path: ["client", "lease"],
    arguments: "[--register JOIN-CODE]",
    maxArguments: 1,
    summary: "Make a tenant: one more private service, with an id and a port of its own",
    description: [
      "What is not given is as in [client.local]. All tenants of a client share its tunnel.",
      'With --json: {"tenant", "index", "dir", "local": {"host", "port", "tls", "tlsVerify", "tlsCa"}, "registration": null or ' +
      `{"id", "port", "endpoint"}, ${DAEMON}}.`,
    ],
    options: {
      ...config,
      ...json,
      ...tenant("its name: at most 64 letters, digits, - _ . (default: the next free number)"),
      host: { type: "string", short: "l", value: "HOST", help: "host of the service" },
      port: { type: "string", short: "p", value: "PORT", help: "port of the service" },
      tls: { type: "boolean", short: "s", help: "the service speaks TLS; its certificate is verified" },
      insecure: { type: "boolean", help: "take any certificate of the service" },
      ca: { type: "string", value: "FILE", help: "the certificates (PEM) that the service's may be signed by" },
      register: { type: "boolean", help: "register it too, with the join code that follows" },
    },
    examples: [
      "petit client lease -t shop -p 8081",
      "petit client lease -t ledger -l erp.lan -p 8443 -s --ca ./lan-ca.pem",
      "petit client lease -t shop -p 8081 --register petit-AYn2…",
    ],
    run: async (invocation) => (await import("../client/client_lease.ts")).clientLease(invocation),
  },
  {
    path: ["client", "evict"],
    arguments: "TENANT",
    maxArguments: 1,
    summary: "Take a tenant away, with its folder; unregisters it first",
    description: [
      "The server has to be reached where it is registered; nothing is changed otherwise.",
      `With --json: {"tenant", "registration": null or as "unregister" tells it, ${DAEMON}}.`,
    ],
    options: {
      ...config,
      ...json,
      force: { type: "boolean", help: "take it away also when the server cannot be told" },
    },
    examples: ["petit client evict shop", "petit client evict shop --force"],
    run: async (invocation) => (await import("../client/client_evict.ts")).clientEvict(invocation),
  },
  {
    path: ["client", "config"],
    arguments: "[KEY [VALUE]]",
    maxArguments: 2,
    summary: "Show the settings in force, or one of them, or set it",
    description: [
      "Defaults are shown too. A value is checked before it is written, comments in the file stay, and a client that runs takes it up.",
      `With --json: {section: {key: value}}; with KEY its value; with VALUE {"key", "value", "before", ${DAEMON}, "restartNeeded"}.`,
    ],
    options: { ...config, ...json, ...tenant("those of this tenant: [local] and [allow]") },
    examples: [
      "petit client config",
      "petit client config reconnectDelayMax 60s",
      "petit client config -t shop port 8082",
      "petit client config -t shop allow.methods GET,HEAD",
    ],
    run: async (invocation) => (await import("../client/client_config.ts")).clientConfig(invocation),
  },
];

/** The same for the server. */
export const serverConfigCommand: Command = {
  path: ["server", "config"],
  arguments: "[KEY [VALUE]]",
  maxArguments: 2,
  summary: "Show the settings in force, or one of them, or set it",
  description: [
    "Defaults are shown too. A value is checked before it is written, comments in the file stay, and a server that runs takes it up.",
    "A list is written with commas.",
    `With --json: {section: {key: value}}; with KEY its value; with VALUE {"key", "value", "before", ${DAEMON}, "restartNeeded"}.`,
  ],
  options: { ...config, ...json },
  examples: [
    "petit server config",
    "petit server config vitae.endpoint https://REGID.example.com",
    "petit server config trustedProxies 10.0.0.0/8,192.168.0.0/16",
  ],
  run: async (invocation) => (await import("../server/server_config.ts")).serverConfig(invocation),
};
