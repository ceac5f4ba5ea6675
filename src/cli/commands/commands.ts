import type { Command } from "./command.ts";
import { json } from "./common_options.ts";
import { clientCommands } from "./table_client.ts";
import { completionCommands } from "./table_completions.ts";
import { serverCommands } from "./table_server.ts";
import { serviceCommands } from "./table_service.ts";

const versionCommand: Omit<Command, "path"> = {
  summary: "Print the version",
  options: json,
  examples: ["petit version", "petit version --json"],
  run: async (invocation) => (await import("../version.ts")).printVersion(invocation),
};

/** Client commands that a customer may type without "client"; those that exist get a short form by themselves. */
const SHORT = ["init", "register", "start", "stop", "restart", "status", "ping", "sping", "check"];

const shortForms: readonly Command[] = clientCommands
  .filter(({ path: [, word, more] }) => word !== undefined && more === undefined && SHORT.includes(word))
  .map((command) => ({
    ...command,
    path: command.path.slice(1),
    shortFor: command.path,
    summary: `Short for "petit ${command.path.join(" ")}"`,
  }));

/** Every command there is, in the order of the help. */
export const commands: readonly Command[] = [
  {
    path: ["demo"],
    summary: "Try everything on this machine, leaving no files",
    description: ["Runs a server, a client and a sample service on loopback, and prints what to try."],
    options: { once: { type: "boolean", help: "end when everything has been shown" } },
    examples: ["petit demo", "petit demo --once"],
    run: async (invocation) => (await import("../demo.ts")).demo(invocation),
  },
  ...serverCommands,
  { path: ["server", "version"], ...versionCommand },
  ...clientCommands,
  { path: ["client", "version"], ...versionCommand },
  ...shortForms,
  ...serviceCommands,
  ...completionCommands,
  { path: ["version"], ...versionCommand },
];
