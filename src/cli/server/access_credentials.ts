import process from "node:process";
import { parseDuration } from "../../config/units.ts";
import { messageOf, PetitError } from "../../error.ts";
import type { Credential } from "../../registry/access.ts";
import { LONGEST_LIFETIME, makeCredential } from "../../server/access/make_credential.ts";
import type { Invocation } from "../commands/command.ts";
import { table } from "../terminal/table.ts";
import { momentText } from "../../time_text.ts";
import { textValue } from "../values.ts";
import { accessRulesOf } from "./access_rules_of.ts";
import { accessScope, DEFAULT } from "./access_scope.ts";
import { print } from "./server_access.ts";
import { withRegistry } from "./with_registry.ts";

/** Makes a token, or a user with a password; the secret is printed this once. */
export async function accessGrant(invocation: Invocation): Promise<number> {
  const registration = accessScope(invocation.positionals[0]);
  const bearer = invocation.values["bearer"] === true;
  const user = textValue(invocation, "basic");
  if (bearer === (user !== undefined)) {
    throw wrong(
      "Wanted: either --bearer or --basic USER",
      "A token for a program, or a name and a password for a person",
    );
  }
  const typesPassword = invocation.values["password-stdin"] === true;
  if (bearer && typesPassword) throw wrong("A token is made by petit: --password-stdin is for --basic");
  const lifetime = lifetimeOf(textValue(invocation, "expires"));
  const { credential, secret } = await makeCredential({
    ...{ registration, lifetime, kind: bearer ? "bearer" : "basic", user: user ?? "" },
    password: typesPassword ? await readPassword() : undefined,
    label: textValue(invocation, "label") ?? "",
  }, Date.now());
  const rule = withRegistry(invocation, (registry, config) => {
    registry.access.add(credential);
    return accessRulesOf(registry, config).of(registration ?? undefined);
  });
  const facts = { ...shown(credential), ...(typesPassword ? {} : { [bearer ? "token" : "password"]: secret }) };
  print(invocation, facts, () => typesPassword ? "" : `${secret}\n`);
  if (invocation.values["json"] === true) return 0;
  const whose = registration === null ? "every registration that follows the default" : `registration ${registration}`;
  const what = bearer ? "This token" : `The user ${credential.user}`;
  const until = credential.expiresAt === null ? "until it is revoked" : `until ${momentText(credential.expiresAt)}`;
  process.stderr.write(
    `${what} lets callers of ${whose} in, ${until}${typesPassword ? "" : "; it is not shown again"}. ` +
      `To take it back: petit server access revoke ${credential.id}\n`,
  );
  if (!rule.asksFor(credential.kind)) {
    const how = registration === null
      ? `petit server config access.require ${credential.kind}`
      : `petit server access set ${registration} --require ${credential.kind}`;
    process.stderr.write(`Nobody is asked for it yet: ${how}\n`);
  }
  return 0;
}

/** Takes a credential back; whoever was let in by it is cut off. */
export function accessRevoke(invocation: Invocation): number {
  const typed = invocation.positionals[0]?.toLowerCase() ?? "";
  // Whoever has the token itself at hand may not know that it has an id too; and what was typed is a secret.
  if (!/^[0-9a-f]{12}$/.test(typed)) {
    throw wrong(
      typed === "" ? "The id of a credential is missing" : "This is not the id of a credential",
      'Wanted: twelve hexadecimal digits; "petit server access list" shows them',
    );
  }
  const credential = withRegistry(invocation, (registry) => {
    try {
      return registry.access.revoke(typed);
    } catch (error) {
      if (!(error instanceof PetitError) || error.code !== "credential-unknown") throw error;
      throw new PetitError(error.code, messageOf(error), {
        hint: '"petit server access list" shows them',
        cause: error,
      });
    }
  });
  print(
    invocation,
    shown(credential),
    () => `Revoked the ${nameOf(credential)} of ${credential.registration ?? DEFAULT}\n`,
  );
  return 0;
}

/** Lists credentials, without their secrets. */
export function accessList(invocation: Invocation): number {
  const [typed] = invocation.positionals;
  const scope = typed === undefined ? undefined : accessScope(typed);
  const now = Date.now();
  const rows = withRegistry(invocation, (registry) => {
    // An id that nobody has is told of.
    if (typeof scope === "string") registry.access.rule(scope);
    return registry.access.credentials();
  }).filter(({ registration }) => scope === undefined || registration === scope);
  print(
    invocation,
    rows.map(shown),
    () =>
      rows.length === 0 ? 'There are no credentials; "petit server access grant" makes one.\n' : table([
        { title: "CREDENTIAL", value: ({ id }) => id },
        { title: "FOR", value: ({ registration }) => registration ?? DEFAULT },
        { title: "KIND", value: ({ kind }) => kind },
        { title: "USER", value: ({ user }) => user, atLeast: 6 },
        { title: "LABEL", value: ({ label }) => label, atLeast: 8 },
        { title: "MADE", value: ({ createdAt }) => momentText(createdAt) },
        {
          title: "EXPIRES",
          value: ({ expiresAt }) =>
            expiresAt === null ? undefined : expiresAt <= now ? "expired" : momentText(expiresAt),
        },
      ], rows),
  );
  return 0;
}

function shown({ id, registration, kind, user, label, createdAt, expiresAt }: Credential) {
  return {
    ...{ id, registration: registration ?? DEFAULT, kind, user: kind === "basic" ? user : null },
    label: label === "" ? null : label,
    created: new Date(createdAt).toISOString(),
    expires: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}

function nameOf({ id, kind, user }: Credential): string {
  return kind === "bearer" ? `token ${id}` : `user ${user} (${id})`;
}

/** Milliseconds; null where nothing was said. @throws PetitError `usage` */
function lifetimeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const lifetime = parseDuration(text);
  if (lifetime !== undefined && lifetime > 0 && lifetime <= LONGEST_LIFETIME) return lifetime;
  throw wrong(`"${text.slice(0, 80)}" is not a time for --expires`, "Wanted: a number with a unit, such as 12h or 90d");
}

/** The password on standard input, up to its end; one line feed behind it does not count. */
async function readPassword(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    if ((size += (chunk as Buffer).length) > 4096) throw wrong("The password on standard input is too long");
  }
  return Buffer.concat(chunks).toString("utf8").replace(/\r?\n$/, "");
}

function wrong(message: string, hint?: string): PetitError {
  return new PetitError("usage", message, { ...(hint === undefined ? {} : { hint }), exitCode: 2 });
}
