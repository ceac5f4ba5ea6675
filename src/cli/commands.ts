import { defaultConfigFile } from "../platform/paths.ts";
import type { Command, Option } from "./command.ts";

const config: Record<string, Option> = {
  config: { type: "string", short: "c", value: "FILE", help: `the config file (default ${defaultConfigFile()})` },
};
const verbose: Record<string, Option> = { verbose: { type: "boolean", short: "v", help: "log more" } };
const json: Record<string, Option> = { json: { type: "boolean", help: "print facts as JSON" } };

const clientInit: Omit<Command, "path"> = {
  summary: "Write a config file for a client",
  options: {
    ...config,
    server: { type: "string", value: "HOST[:PORT]", help: "the server to connect to; a join code sets it too" },
    local: { type: "string", value: "HOST:PORT", help: "the private service (default localhost:8080)" },
  },
  examples: ["petit client init --local localhost:5432"],
  run: async (invocation) => (await import("./client_init.ts")).clientInit(invocation),
};

const clientRegister: Omit<Command, "path"> = {
  arguments: "[JOIN-CODE]",
  maxArguments: 1,
  summary: "Register with the server that a join code names",
  options: {
    ...config,
    ...json,
    local: { type: "string", value: "HOST:PORT", help: "the private service, if it is not in the config yet" },
  },
  examples: ["petit client register petit-AYn2…"],
  run: async (invocation) => (await import("./client_register.ts")).clientRegister(invocation),
};

const versionCommand: Omit<Command, "path"> = {
  summary: "Print the version",
  options: json,
  run: async (invocation) => (await import("./version.ts")).printVersion(invocation),
};

/** Every command there is, in the order of the help. */
export const commands: readonly Command[] = [
  {
    path: ["demo"],
    summary: "Try everything on this machine: server, client and a sample service, leaving no files behind",
    options: { once: { type: "boolean", help: "end when everything has been shown" } },
    examples: ["petit demo", "petit demo --once"],
    run: async (invocation) => (await import("./demo.ts")).demo(invocation),
  },
  {
    path: ["server"],
    summary: "Run the server in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit server", "petit server -c /etc/petit/config.toml"],
    run: async (invocation) => (await import("./server_run.ts")).serverRun(invocation),
  },
  {
    path: ["server", "run"],
    summary: "The same",
    options: { ...config, ...verbose },
    run: async (invocation) => (await import("./server_run.ts")).serverRun(invocation),
  },
  {
    path: ["server", "init"],
    summary: "Write a config file for a server, and make its host key and registry",
    options: {
      ...config,
      host: {
        type: "string",
        value: "NAME",
        help: "name or address of this machine as clients reach it (default localhost)",
      },
    },
    examples: ["petit server init --host petit.example.com"],
    run: async (invocation) => (await import("./server_init.ts")).serverInit(invocation),
  },
  {
    path: ["server", "join"],
    summary: "Print a join code, with which one client can register",
    options: {
      ...config,
      ...json,
      uses: { type: "string", value: "N", help: "how many clients may use it (default 1)" },
      expires: { type: "string", value: "TIME", help: "how long it is good for (default 24h)" },
      brand: { type: "string", value: "B", help: "only for clients of this brand" },
      host: { type: "string", value: "NAME", help: "name or address to put into it, instead of [server] publicHost" },
    },
    examples: ["petit server join", "petit server join --uses 20 --expires 7d --json"],
    run: async (invocation) => (await import("./server_join.ts")).serverJoin(invocation),
  },
  {
    path: ["server", "addalias"],
    arguments: "ID ALIAS",
    maxArguments: 2,
    summary: "Reach a registration under another host name too",
    options: config,
    examples: ["petit server addalias 1001 db.example.com"],
    run: async (invocation) => (await import("./server_alias.ts")).addAlias(invocation),
  },
  {
    path: ["server", "removealias"],
    arguments: "ID ALIAS",
    maxArguments: 2,
    summary: "Take such a host name away",
    options: config,
    run: async (invocation) => (await import("./server_alias.ts")).removeAlias(invocation),
  },
  { path: ["server", "version"], ...versionCommand },
  {
    path: ["client"],
    summary: "Run the client in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit client"],
    run: async (invocation) => (await import("./client_run.ts")).clientRun(invocation),
  },
  {
    path: ["client", "run"],
    summary: "The same",
    options: { ...config, ...verbose },
    run: async (invocation) => (await import("./client_run.ts")).clientRun(invocation),
  },
  { path: ["client", "init"], ...clientInit },
  { path: ["client", "register"], ...clientRegister },
  { path: ["client", "version"], ...versionCommand },
  { path: ["init"], ...clientInit, summary: 'Short for "petit client init"' },
  { path: ["register"], ...clientRegister, summary: 'Short for "petit client register"' },
  { path: ["version"], ...versionCommand },
];
