import type { ServerConfig } from "../../config/schema.ts";
import type { Registry } from "../../registry/registry.ts";
import { AccessRules } from "../../server/access/access_rules.ts";

/** The rules that a server with this registry and config goes by. */
export function accessRulesOf(registry: Registry, config: ServerConfig): AccessRules {
  const rules = new AccessRules({ store: registry.access, config });
  rules.close();
  return rules;
}

/** What keeps everybody out, without an operator having meant that; each is a sentence. */
export function accessWarnings(rules: AccessRules, config: ServerConfig, id: string | null): string[] {
  const rule = rules.of(id ?? undefined);
  const scope = id ?? "default";
  const { counts } = rule;
  const missing = (["bearer", "basic"] as const).filter((kind) => rule.asksFor(kind));
  const warnings: string[] = [];
  if (missing.length > 0 && missing.every((kind) => counts[kind] === 0)) {
    const how = missing[0] === "bearer" ? "--bearer" : "--basic USER";
    warnings.push(`Nobody has a credential for it yet: petit server access grant ${scope} ${how}`);
  }
  if (rule.requiresCertificate && config.access.clientCa === "") {
    warnings.push("Nobody can show a client certificate yet: set [server.access] clientCa, and restart the server");
  }
  return warnings;
}
