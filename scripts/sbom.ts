// What is in the executable, as a bill of materials (CycloneDX 1.6, JSON): the packages that the bundler took parts of, and Bun with
// what is in it.
import { Contrib, Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { installed, root } from "./project.ts";

/** The part of package.json that is told. */
interface PackageFile {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  /** An older form. */
  readonly licenses?: readonly { readonly type: string }[];
}

/** The part of package-lock.json that is told. */
interface Lock {
  readonly packages: Record<
    string,
    { readonly version: string; readonly integrity?: string; readonly dependencies?: Record<string, string> }
  >;
}

/** Terms that are no single licence of SPDX are told by name. */
const licenses = new Contrib.License.Factories.LicenseFactory(() => false);
const json = <Content>(...path: string[]) => JSON.parse(readFileSync(join(root, ...path), "utf8")) as Content;

/** The packages that a bundle has parts of, by their folders below the root, such as "node_modules/zod". */
export function bundledPackages(inputs: Iterable<string>): string[] {
  const found = new Set<string>();
  for (const input of inputs) {
    const folder = /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+(?:\/node_modules\/(?:@[^/]+\/)?[^/]+)*)\//.exec(
      input.replaceAll("\\", "/"),
    );
    if (folder?.[1] !== undefined) found.add(folder[1]);
  }
  return [...found].sort();
}

/**
 * The bill of materials of an executable. It says nothing of when it was made, so that the same build has the same one.
 *
 * @param inputs the files of the bundle
 * @param versions of Bun and what is in it, as `process.versions` has them
 */
export function billOfMaterials(
  inputs: Iterable<string>,
  executable: string,
  versions: Readonly<Record<string, string | undefined>> = process.versions,
): string {
  const lock = json<Lock>("package-lock.json");
  const about = json<PackageFile>("package.json");
  const petit = new Models.Component(Enums.ComponentType.Application, about.name, {
    version: about.version,
    bomRef: about.name,
    ...(about.description === undefined ? {} : { description: about.description }),
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], sha256(executable)]]),
  });
  const byFolder = new Map(
    bundledPackages(inputs).map((folder) => [folder, packageComponent(folder, lock)]),
  );
  for (const [folder, component] of byFolder) {
    for (const name of Object.keys(lock.packages[folder]?.dependencies ?? {})) {
      const dependency = byFolder.get(`${folder}/node_modules/${name}`) ?? byFolder.get(`node_modules/${name}`);
      if (dependency !== undefined) component.dependencies.add(dependency.bomRef);
    }
  }
  const bun = runtimeComponent(versions);
  const direct = Object.keys(json<{ dependencies: Record<string, string> }>("package.json").dependencies);
  for (const name of direct) {
    const dependency = byFolder.get(`node_modules/${name}`);
    if (dependency !== undefined) petit.dependencies.add(dependency.bomRef);
  }
  petit.dependencies.add(bun.bomRef);
  const bill = new Models.Bom({
    metadata: new Models.Metadata({ component: petit }),
    components: new Models.ComponentRepository([...byFolder.values(), bun]),
  });
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bill, { sortLists: true, space: 2 })}\n`;
}

function packageComponent(folder: string, lock: Lock): Models.Component {
  const { name, version, description, license, licenses: former } = json<PackageFile>(folder, "package.json");
  const component = new Models.Component(Enums.ComponentType.Library, name, {
    version,
    bomRef: `${name}@${version}`,
    purl: purl(name, version),
    ...(description === undefined ? {} : { description }),
  });
  const terms = license ?? former?.map(({ type }) => type).join(" OR ");
  if (terms !== undefined && terms !== "") component.licenses.add(licenses.makeFromString(terms));
  // What npm compares with what it has fetched.
  const digest = /^sha512-(.+)$/.exec(lock.packages[folder]?.integrity ?? "")?.[1];
  if (digest !== undefined) {
    component.hashes.set(Enums.HashAlgorithm["SHA-512"], Buffer.from(digest, "base64").toString("hex"));
  }
  return component;
}

/** Bun, whose own executable is the base of petit's, with the libraries in it: what is found wrong with them concerns petit too. */
function runtimeComponent(versions: Readonly<Record<string, string | undefined>>): Models.Component {
  const [program = ""] = installed("bun");
  const version = versions["bun"] ?? "";
  const bun = new Models.Component(Enums.ComponentType.Platform, "bun", {
    version,
    bomRef: `bun@${version}`,
    purl: purl("bun", version),
    description: "The runtime in the executable",
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm["SHA-256"], sha256(program)]]),
  });
  bun.licenses.add(licenses.makeFromString("MIT"));
  for (const [name, version] of Object.entries(versions)) {
    if (version === undefined || NO_PARTS.includes(name)) continue;
    bun.components.add(
      new Models.Component(Enums.ComponentType.Library, name, { version, bomRef: `bun:${name}@${version}` }),
    );
  }
  return bun;
}

/** What `process.versions` names beside libraries: Bun itself, and interfaces that it takes the place of. */
const NO_PARTS = ["bun", "node", "v8", "uv", "napi", "modules", "openssl", "unicode", "typescript"];

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
