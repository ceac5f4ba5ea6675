import type { Command } from "./command.ts";
import { config, json } from "./common_options.ts";

/** The commands with which an operator looks after registrations, in the order of the help. */
export const registrationCommands: readonly Command[] = [
  {
    path: ["server", "status"],
    arguments: "[ID]",
    maxArguments: 1,
    summary: "Show all registrations, or one of them in full",
    description: [
      "The server has to be running; exit code 3 says that it is not.",
      'With --json: {"status", "version", "pid", "startedAt", "ports": {"proxy", "secureProxy", "ssh"}, "connected": how many are, "connections": ' +
      '[{"registeredId", "port", "fingerprint", "connected", "aliases", "vitae", "brand", "tenant", "endpoint", "createdAt", "tunnel": null or ' +
      '{"address", "since", "channels"}}]}; the first six are those of petit 0.6. With an ID one of these, "access": who may call it, and "disconnects": ' +
      '[{"at": milliseconds since 1970, "ids", "address", "lasted": milliseconds, "cause"}], the newest first.',
    ],
    options: {
      ...config,
      ...json,
      connected: { type: "boolean", help: "only those that are connected" },
      away: { type: "boolean", help: "only those that are not" },
      search: {
        type: "string",
        value: "TEXT",
        help: "only those with this in id, alias, brand, tenant, host or address",
      },
    },
    examples: ["petit server status", "petit server status --away --search acme", "petit server status 1001 --json"],
    run: async (invocation) => (await import("../server/server_status.ts")).serverStatus(invocation),
  },
  {
    path: ["server", "disconnect"],
    arguments: "ID",
    maxArguments: 1,
    summary: "End a registration's tunnel; its client returns",
    options: { ...config, ...json },
    examples: ["petit server disconnect 1001"],
    run: async (invocation) => (await import("../server/server_disconnect.ts")).serverDisconnect(invocation),
  },
  {
    path: ["server", "unregister"],
    arguments: "ID",
    maxArguments: 1,
    summary: "Take a registration away, for good",
    description: [
      "Works whether the server is running or not, and asks nothing. Its aliases go too. Id and port are never given to another key; the same client " +
      "gets them again when it registers anew.",
    ],
    options: { ...config, ...json },
    examples: ["petit server unregister 1001"],
    run: async (invocation) => (await import("../server/server_unregister.ts")).serverUnregister(invocation),
  },
  {
    path: ["server", "join", "list"],
    summary: "List the join codes, without their secrets",
    description: [
      'With --json: [{"id", "brand": null for any, "uses", "usesLeft", "created", "expires", "state": "open", "used up" or "expired"}].',
      "A code is forgotten a week after it has expired.",
    ],
    options: { ...config, ...json },
    examples: ["petit server join list"],
    run: async (invocation) => (await import("../server/join_list.ts")).joinList(invocation),
  },
  {
    path: ["server", "join", "revoke"],
    arguments: "ID",
    maxArguments: 1,
    summary: "Make a join code useless",
    description: ["What was registered with it stays."],
    options: config,
    examples: ["petit server join revoke 3f9a2b1c"],
    run: async (invocation) => (await import("../server/join_revoke.ts")).joinRevoke(invocation),
  },
  {
    path: ["server", "import"],
    arguments: "[FILE|URL]",
    maxArguments: 1,
    summary: "Take in the registrations of a petit 0.6 server",
    description: [
      "FILE is its JSON registry file, URL that of its Redis: redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS. Of arguments all " +
      'users of this machine get to know; "-" reads the URL from standard input, and with none it is what registryUrl still says in the config. ' +
      "The Redis is only read; stop the petit 0.6 server before.",
      "All registrations are taken in or, where anything is wrong, none. Ids, ports, keys and aliases stay as they are; " +
      "what is here already is left alone, so that it can be done twice.",
      'With --json: {"added": ids, "known": ids, "leftOut": [{"id", "reason"}]: of no use to petit 0.6 either, "problems": [{"id", "reason"}], "dryRun"}.',
    ],
    options: {
      ...config,
      ...json,
      "dry-run": { type: "boolean", help: "only tell what it would come to" },
      except: { type: "string", value: "IDS", help: "leave these out, with commas between them" },
    },
    examples: ["petit server import ~/.petit/registry --dry-run", "petit server import redis://localhost:6379"],
    run: async (invocation) => (await import("../server/server_import.ts")).serverImport(invocation),
  },
];
