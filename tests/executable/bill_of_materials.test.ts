import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { billOfMaterialsFile, executable, root } from "../../scripts/project.ts";
import { bundledPackages } from "../../scripts/sbom.ts";

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly unknown[];
  readonly components?: readonly Component[];
}

const text = readFileSync(billOfMaterialsFile, "utf8");
const bill = JSON.parse(text) as {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
};
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")) as {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly dev?: boolean }>>;
};

/** The packages of npm. */
const packages = bill.components.filter(({ name }) => name !== "bun");

test("bill of materials: it is valid CycloneDX 1.6, and of this executable", async () => {
  assert.equal(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text), null);
  const digest = createHash("sha256").update(readFileSync(executable)).digest("hex");
  assert.deepEqual(bill.metadata.component.hashes, [{ alg: "SHA-256", content: digest }]);
});

test("bill of materials: it names every package that the executable has parts of, and no other", () => {
  // The bundler leaves the name of each file above its text.
  const inside = readFileSync(executable, "latin1").matchAll(/^\/\/ (node_modules\/\S+)$/gm);
  const wanted = bundledPackages([...inside].map(([, file]) => file as string));
  assert.ok(wanted.length > 20 && wanted.includes("node_modules/ssh2"), String(wanted));
  const named = (folder: string) => folder.split("node_modules/").at(-1) as string;
  const expected = wanted.map((folder) => `${named(folder)}@${lock.packages[folder]?.version}`);
  assert.deepEqual(packages.map(({ name, version }) => `${name}@${version}`).sort(), expected.sort());
});

test("bill of materials: nothing of it is of development only, and all have a hash and a licence", () => {
  for (const { name, version, purl, hashes, licenses } of packages) {
    const locked = Object.entries(lock.packages).filter(([path, found]) =>
      path.endsWith(`node_modules/${name}`) && found.version === version
    );
    assert.ok(locked.some(([, { dev }]) => dev !== true), name);
    assert.equal(purl, `pkg:npm/${name.replace("@", "%40")}@${version}`);
    assert.equal(hashes[0]?.alg, "SHA-512", name);
    assert.ok(licenses.length > 0, name);
  }
});

test("bill of materials: it names the runtime and the libraries in it", () => {
  const bun = bill.components.find(({ name }) => name === "bun");
  assert.equal(bun?.version, process.versions["bun"]);
  const parts = new Map(bun?.components?.map(({ name, version }) => [name, version]));
  for (const name of ["boringssl", "sqlite", "webkit", "zlib"]) assert.equal(parts.get(name), process.versions[name]);
});
