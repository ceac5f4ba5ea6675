import process from "node:process";
import { loadConfig } from "../../config/load.ts";
import { addToken, type NamedToken, namedTokens, revokeToken } from "../../control/named_tokens.ts";
import { PetitError } from "../../error.ts";
import type { Role } from "../../platform/folder_lock.ts";
import type { Invocation } from "../commands/command.ts";
import { withAudit } from "../server/with_audit.ts";
import { refuseLoose } from "../strict_state.ts";
import { table } from "../terminal/table.ts";
import { momentText } from "../../time_text.ts";
import { configFile } from "../values.ts";

/** `token add NAME`: makes a token, and prints it, once. */
export function tokenAdd(role: Role, invocation: Invocation): number {
  const name = nameOf(invocation);
  const scope = invocation.values["read"] === true ? "read" : "all";
  const loaded = loadConfig(configFile(invocation));
  refuseLoose(role, loaded);
  const token = addToken(loaded.folder, name, scope);
  note(role, invocation, "token-made", { name, scope });
  if (invocation.values["json"] === true) {
    process.stdout.write(`${JSON.stringify({ name, scope, token })}\n`);
    return 0;
  }
  process.stdout.write(`${token}\n`);
  process.stderr.write(
    `It is shown this once. It ${
      scope === "read" ? "reads" : "may do everything"
    }, and is good until "petit ${role} token revoke ${name}"\n`,
  );
  return 0;
}

/** `token list`: the names, and what they let do. */
export function tokenList(role: Role, invocation: Invocation): number {
  const tokens = namedTokens(loadConfig(configFile(invocation)).folder);
  if (invocation.values["json"] === true) {
    const facts = tokens.map(({ name, scope, createdAt }) => ({ name, scope, created: createdAt }));
    process.stdout.write(`${JSON.stringify(facts)}\n`);
    return 0;
  }
  process.stdout.write(
    tokens.length === 0 ? `There are none; "petit ${role} token add NAME" makes one.\n` : text(tokens),
  );
  return 0;
}

/** `token revoke NAME`: from now on it is good for nothing. */
export function tokenRevoke(role: Role, invocation: Invocation): number {
  const name = nameOf(invocation);
  revokeToken(loadConfig(configFile(invocation)).folder, name);
  note(role, invocation, "token-revoked", { name });
  process.stdout.write(
    invocation.values["json"] === true ? `${JSON.stringify({ revoked: name })}\n` : `The token "${name}" is revoked\n`,
  );
  return 0;
}

function text(tokens: readonly NamedToken[]): string {
  return table([
    { title: "NAME", value: ({ name }) => name },
    { title: "MAY", value: ({ scope }) => scope === "read" ? "read" : "do everything" },
    { title: "MADE", value: ({ createdAt }) => momentText(Date.parse(createdAt)) },
  ], tokens);
}

/** Only a server has an audit log. */
function note(
  role: Role,
  invocation: Invocation,
  event: "token-made" | "token-revoked",
  facts: Readonly<Record<string, string>>,
): void {
  if (role !== "server") return;
  withAudit(loadConfig(configFile(invocation)).config.server, (audit) => audit.record(event, facts));
}

function nameOf({ positionals: [name] }: Invocation): string {
  if (name !== undefined) return name;
  throw new PetitError("usage", "Wanted: the name of a token", { exitCode: 2 });
}
