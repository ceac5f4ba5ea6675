import process from "node:process";
import type { ServerConfig } from "../../config/schema.ts";
import type { Registry } from "../../registry/registry.ts";
import { accessLine } from "../../server/access/access_line.ts";
import type { Invocation } from "../commands/command.ts";
import { table } from "../terminal/table.ts";
import { printable } from "../../text_width.ts";
import { accessOptions } from "./access_options.ts";
import { accessRulesOf, accessWarnings } from "./access_rules_of.ts";
import { accessScope, DEFAULT } from "./access_scope.ts";
import { registrationId } from "./registration_id.ts";
import { withRegistry } from "./with_registry.ts";

/** Shows who may call: all registrations, or one of them in full. */
export function serverAccess(invocation: Invocation): number {
  const [typed] = invocation.positionals;
  const id = typed === undefined ? undefined : accessScope(typed);
  return withRegistry(invocation, (registry, config) => {
    const rules = accessRulesOf(registry, config);
    if (id !== undefined) return showOne(invocation, registry, config, id);
    const rows = [
      { id: DEFAULT, access: accessLine(rules.of(undefined)) },
      ...registry.registrations().map((one) => ({ id: one.id, access: accessLine(rules.of(one.id)) })),
    ];
    print(invocation, rows, () =>
      table([
        { title: "ID", value: (row) => row.id },
        { title: "WHO MAY CALL", value: (row) => row.access, atLeast: 20 },
      ], rows));
    return 0;
  });
}

function showOne(invocation: Invocation, registry: Registry, config: ServerConfig, id: string | null): number {
  const own = id === null ? undefined : registry.access.rule(id);
  const rules = accessRulesOf(registry, config);
  const rule = rules.of(id ?? undefined);
  const facts = { id: id ?? DEFAULT, access: accessLine(rule), own: own ?? null, effective: rule.settings };
  print(invocation, facts, () => {
    const { allow, require, certificates, stripCredentials, credentialField, rawAllow, maxRawCallers } = rule.settings;
    const is = (key: keyof typeof rule.settings) => own !== undefined && own !== "damaged" && own[key] !== undefined;
    const lines: [name: string, value: string, key: keyof typeof rule.settings][] = [
      ["Addresses", allow.join(", ") || "any", "allow"],
      ["Has to show", require.join(", ") || "nothing", "require"],
      ["Certificates", certificates.join(", ") || "any that clientCa has signed", "certificates"],
      ["Credentials in", credentialField, "credentialField"],
      ["Kept from service", stripCredentials ? "yes" : "no", "stripCredentials"],
      ["Reverse port", rawAllow.join(", ") || "any address that reaches it", "rawAllow"],
      ["Its connections", `at most ${maxRawCallers}`, "maxRawCallers"],
    ];
    return `${id ?? DEFAULT}: ${accessLine(rule)}\n\n${
      lines.map(([name, value, key]) =>
        `${name.padEnd(17)}  ${printable(value)}${id === null || is(key) ? "" : "  (default)"}\n`
      ).join("")
    }`;
  });
  for (const warning of accessWarnings(rules, config, id)) process.stderr.write(`${warning}\n`);
  return 0;
}

/** Sets a part of a registration's own rule; what is not named stays as it is. */
export function accessSet(invocation: Invocation): number {
  const id = registrationId(invocation.positionals[0]);
  const wishes = accessOptions(invocation);
  return withRegistry(invocation, (registry, config) => {
    const before = registry.access.rule(id);
    registry.access.setRule(id, { ...(before === "damaged" ? {} : before), ...wishes });
    return told(invocation, registry, config, id);
  });
}

/** Has the default hold for a registration again. Its credentials stay. */
export function accessReset(invocation: Invocation): number {
  const id = registrationId(invocation.positionals[0]);
  return withRegistry(invocation, (registry, config) => {
    registry.access.setRule(id, null);
    return told(invocation, registry, config, id);
  });
}

function told(invocation: Invocation, registry: Registry, config: ServerConfig, id: string): number {
  const rules = accessRulesOf(registry, config);
  const access = accessLine(rules.of(id));
  print(invocation, { id, access, own: registry.access.rule(id) ?? null }, () => `Who may call ${id}: ${access}\n`);
  for (const warning of accessWarnings(rules, config, id)) process.stderr.write(`${warning}\n`);
  return 0;
}

/** Facts for programs, or a text for people. */
export function print(invocation: Invocation, facts: unknown, text: () => string): void {
  process.stdout.write(invocation.values["json"] === true ? `${JSON.stringify(facts)}\n` : text());
}
