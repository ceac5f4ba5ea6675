import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The root of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The executable that `npm run build` makes for this machine. */
export const executable = join(root, "dist", process.platform === "win32" ? "petit.exe" : "petit");

/** What is in the executable, in CycloneDX. */
export const billOfMaterialsFile = join(root, "dist", "petit.cdx.json");

/** A program that npm installed. */
export function installed(name: "bun" | "deno" | "tsc"): string[] {
  if (name === "bun") return [join(root, "node_modules", "bun", "bin", "bun.exe")];
  const script = name === "deno" ? join("deno", "bin.cjs") : join("typescript", "bin", "tsc");
  return ["node", join(root, "node_modules", script)];
}
