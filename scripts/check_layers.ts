// Holds the imports of src/ to the layers: each folder may use itself and the folders named for it, nothing else.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import process from "node:process";
import { root } from "./project.ts";

const BASE = ["config", "http", "observe", "platform", ""];
const MAY_USE: Record<string, string[]> = {
  cli: ["control", "server", "client", "tunnel", "registry", "audit", ...BASE],
  server: ["control", "tunnel", "registry", "usage", "audit", ...BASE],
  client: ["control", "tunnel", ...BASE],
  control: ["tunnel", "audit", ...BASE],
  registry: ["tunnel", "audit", ...BASE],
  tunnel: BASE,
  usage: BASE,
  audit: BASE,
  config: [""],
  http: [""],
  observe: ["platform", ""],
  platform: [""],
  "": [""],
};

/** The one file that imports the SSH library. */
const SSH_LIBRARY = join("src", "tunnel", "ssh_library.ts");

const problems: string[] = [];
const src = join(root, "src");
for (const entry of readdirSync(src, { recursive: true, encoding: "utf8" })) {
  if (!entry.endsWith(".ts")) continue;
  const file = join(src, entry);
  const layer = layerOf(file);
  const text = readFileSync(file, "utf8");
  const name = relative(root, file);
  if (!/^[a-z][a-z0-9_]*\.ts$/.test(entry.split(/[\\/]/).at(-1) as string)) {
    problems.push(`${name}: file names are snake_case`);
  }
  for (const [, imported = ""] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    if (imported === "ssh2" && name !== SSH_LIBRARY) problems.push(`${name}: only ${SSH_LIBRARY} imports ssh2`);
    if (!imported.startsWith(".") || imported.endsWith(".json")) continue;
    const other = layerOf(resolve(dirname(file), imported));
    if (other !== layer && !MAY_USE[layer]?.includes(other)) {
      problems.push(`${name}: "${layer}" may not use "${other}" (${imported})`);
    }
  }
  if (layer !== "platform" && /\b(?:Bun|Deno)\.\w/.test(text)) {
    problems.push(`${name}: Bun.* and Deno.* belong into src/platform/`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

/** The folder below src/ that a file stands in; empty for src/ itself. */
function layerOf(file: string): string {
  const parts = relative(src, file).split(/[\\/]/);
  return parts.length === 1 ? "" : parts[0] as string;
}
