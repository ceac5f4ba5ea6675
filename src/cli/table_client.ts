import type { Command } from "./command.ts";
import { config, json, verbose } from "./common_options.ts";

/** The commands of the client, in the order of the help. */
export const clientCommands: readonly Command[] = [
  {
    path: ["client"],
    summary: "Run the client in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit client"],
    run: async (invocation) => (await import("./client_run.ts")).clientRun(invocation),
  },
  {
    path: ["client", "run"],
    summary: "Run the client in the foreground",
    options: { ...config, ...verbose },
    examples: ["petit client run -c /etc/petit/config.toml"],
    run: async (invocation) => (await import("./client_run.ts")).clientRun(invocation),
  },
  {
    path: ["client", "init"],
    summary: "Write a config file for a client",
    options: {
      ...config,
      server: { type: "string", value: "HOST[:PORT]", help: "the server to connect to; a join code sets it too" },
      local: { type: "string", value: "HOST:PORT", help: "the private service (default localhost:8080)" },
    },
    examples: ["petit client init --local localhost:5432"],
    run: async (invocation) => (await import("./client_init.ts")).clientInit(invocation),
  },
  {
    path: ["client", "register"],
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
  },
];
