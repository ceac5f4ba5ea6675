import { sections } from "./schema.ts";

/** Values that differ from the default in a new file, by "section.key". */
export type Overrides = Record<string, string | number | boolean>;

/** The config file that `init` writes for a role: every setting with its default and what it means. */
export function configTemplate(role: "server" | "client", overrides: Overrides = {}): string {
  return sections[role].map(([name, shape]) => {
    const lines = [`[${name}]`];
    for (const [key, schema] of Object.entries(shape)) {
      const meta = schema.meta() as { doc?: string; fallback?: unknown } | undefined;
      if (meta?.doc === undefined) continue;
      const value = overrides[`${name}.${key}`];
      const isDefault = value === undefined || value === meta.fallback;
      lines.push(...wrap(isDefault ? meta.doc : `${meta.doc} (default: ${JSON.stringify(meta.fallback)})`));
      lines.push(`${key} = ${JSON.stringify(value ?? meta.fallback)}`, "");
    }
    return lines.join("\n");
  }).join("\n");
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
