// Compiles petit into one executable for this machine, dist/petit, and says what is in it: dist/petit.cdx.json.
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { billOfMaterialsFile, executable, root } from "./project.ts";
import { billOfMaterials } from "./sbom.ts";

/** The part of Bun's bundler that is used here; this script runs under Bun only. */
interface Bundler {
  build(options: object): Promise<{ success: boolean; logs: unknown[]; metafile: { inputs: Record<string, object> } }>;
}
interface PluginSetup {
  onResolve(filter: { filter: RegExp }, resolve: (found: { path: string }) => object): void;
  onLoad(filter: { filter: RegExp; namespace: string }, load: () => object): void;
}
const { Bun } = globalThis as unknown as { Bun: Bundler };

mkdirSync(dirname(executable), { recursive: true });
// Bun leaves parts of an older, larger file in place.
rmSync(executable, { force: true });
const result = await Bun.build({
  entrypoints: [join(root, "main.ts")],
  minify: { syntax: true },
  metafile: true,
  compile: {
    outfile: executable,
    // The executable runs in customers' folders: what lies there must not change what it does.
    autoloadDotenv: false,
    autoloadBunfig: false,
    autoloadTsconfig: false,
    autoloadPackageJson: false,
  },
  plugins: [{
    name: "nothing that is optional",
    setup(build: PluginSetup) {
      // ssh2 and the Redis client ask for what they do without. Left to be found at run time, it would be looked for on
      // the customer's disk.
      build.onResolve(
        { filter: /^cpu-features$|\.node$|^@node-rs\/xxhash$/ },
        ({ path }) => ({ path, namespace: "absent" }),
      );
      build.onLoad(
        { filter: /.*/, namespace: "absent" },
        () => ({ contents: "throw new Error('left out')", loader: "js" }),
      );
    },
  }],
});
if (!result.success) {
  console.error(...result.logs);
  process.exit(1);
}
writeFileSync(billOfMaterialsFile, billOfMaterials(Object.keys(result.metafile.inputs), executable));
console.log(`${executable} (${(statSync(executable).size / 1024 ** 2).toFixed(0)} MiB)`);
