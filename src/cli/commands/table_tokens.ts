import type { Role } from "../../platform/folder_lock.ts";
import type { Command, Option } from "./command.ts";
import { config, json } from "./common_options.ts";

/** A token as an argument of curl could be seen by every user. */
const header: Record<string, Option> = {
  header: { type: "boolean", help: 'print "Authorization: Bearer TOKEN", for curl -H @-' },
};

const EXAMPLE: Readonly<Record<Role, string>> = { server: "localhost:8101/log", client: "localhost:8100/disconnects" };

/** The commands about tokens of the REST API; the same for both daemons. */
export function tokenCommands(role: Role): Command[] {
  return [
    {
      path: [role, "token"],
      summary: "Print the token of the REST API",
      description: [
        "Whoever has the token can do everything with the daemons of this folder. It stands in the file api-token beside the config.",
      ],
      options: { ...config, ...json, ...header },
      examples: [`petit ${role} token`, `petit ${role} token --header | curl -H @- ${EXAMPLE[role]}`],
      run: async (invocation) => (await import("../daemon/print_token.ts")).printToken(invocation),
    },
    {
      path: [role, "token", "add"],
      arguments: "NAME",
      maxArguments: 1,
      summary: "Make another token of the REST API, for a script or a scraper",
      description: [
        "It is printed this once; what is kept is its hash. It counts at once, for all daemons of this folder.",
        "--json prints {name, scope, token}.",
      ],
      options: { ...config, ...json, read: { type: "boolean", help: "it may read, and change nothing" } },
      examples: [`petit ${role} token add prometheus --read`],
      run: async (invocation) => (await import("../daemon/named_tokens.ts")).tokenAdd(role, invocation),
    },
    {
      path: [role, "token", "list"],
      summary: "List those tokens: their names, and what they let do",
      description: ["--json prints [{name, scope, created}]; scope is all or read."],
      options: { ...config, ...json },
      examples: [`petit ${role} token list`],
      run: async (invocation) => (await import("../daemon/named_tokens.ts")).tokenList(role, invocation),
    },
    {
      path: [role, "token", "revoke"],
      arguments: "NAME",
      maxArguments: 1,
      summary: "Revoke one of them, at once",
      options: { ...config, ...json },
      examples: [`petit ${role} token revoke prometheus`],
      run: async (invocation) => (await import("../daemon/named_tokens.ts")).tokenRevoke(role, invocation),
    },
  ];
}
