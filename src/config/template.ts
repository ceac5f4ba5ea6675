import type { z } from "zod";
import { localSchema } from "./client_settings.ts";
import { sections } from "./schema.ts";
import type { TenantConfig } from "./tenant_config.ts";
import { tomlValue } from "./toml.ts";

/** Values that differ from the default in a new file, by "section.key". */
export type Overrides = Record<string, string | number | boolean>;

/** The config file that `init` writes for a role: every setting with its default and what it means. */
export function configTemplate(role: "server" | "client", overrides: Overrides = {}): string {
  return sections[role].map(([name, shape]) => section(name, shape, (key) => overrides[`${name}.${key}`])).join("\n");
}

const OWN_RULES = [
  "# What callers may ask of this service, if that is not as in [client.allow]; a service that does not",
  '# speak HTTP needs methods = ["*"] and paths = ["*"] here where [client.allow] has lists of them.',
  "# [allow]",
  '# methods = ["GET", "HEAD"]',
  '# paths = ["/api/", "/health"]',
  "",
].join("\n");

/** The config file that `lease` writes for a tenant. */
export function tenantTemplate({ name, index, local }: Omit<TenantConfig, "allow">): string {
  const head = [
    "# One service that this client gives access to. What is not set in [local] is as in [client.local].",
    ...(name === undefined ? [] : [`name = ${tomlValue(name)}`]),
    ...(index === undefined ? [] : [`index = ${index}`]),
    "",
    "",
  ].join("\n");
  return `${head}${section("local", localSchema.shape, (key) => local[key as keyof typeof local])}\n${OWN_RULES}`;
}

function section(
  name: string,
  shape: Record<string, z.ZodType>,
  valueOf: (key: string) => Overrides[string] | undefined,
): string {
  const lines = [`[${name}]`];
  for (const [key, schema] of Object.entries(shape)) {
    const meta = schema.meta() as { doc?: string; fallback?: unknown } | undefined;
    if (meta?.doc === undefined) continue;
    const value = valueOf(key);
    const isDefault = value === undefined || value === meta.fallback;
    lines.push(...wrap(isDefault ? meta.doc : `${meta.doc} (default: ${JSON.stringify(meta.fallback)})`));
    lines.push(`${key} = ${tomlValue((value ?? meta.fallback) as Overrides[string])}`, "");
  }
  return lines.join("\n");
}

/** Comment lines of at most 100 characters. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > 100) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
