import { isDeepStrictEqual } from "node:util";

/** The part of package.json that decides what is installed. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly allowScripts?: Readonly<Record<string, boolean>>;
}

/** The part of package-lock.json that is held to rules. */
export interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

interface Locked extends Manifest {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

/** What is wrong with a lock file: sentences. */
export function lockProblems(manifest: Manifest, lock: Lock): string[] {
  const problems: string[] = [];
  for (const kind of ["dependencies", "devDependencies"] as const) {
    const wanted = manifest[kind] ?? {};
    if (!isDeepStrictEqual(wanted, lock.packages[""]?.[kind] ?? {})) {
      problems.push(`package-lock.json has other ${kind} than package.json: run "npm install --package-lock-only"`);
    }
    for (const [name, version] of Object.entries(wanted)) {
      if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version)) {
        problems.push(`package.json: "${name}" is "${version}", which is no exact version`);
      } else if (lock.packages[`node_modules/${name}`]?.version !== version) {
        problems.push(`package-lock.json does not have "${name}" in version ${version}`);
      }
    }
  }
  for (const [path, { integrity, resolved, link, hasInstallScript }] of Object.entries(lock.packages)) {
    if (path === "") continue;
    if (link === true || !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")) {
      problems.push(`package-lock.json: "${path}" has no SHA-512 hash`);
    }
    // The registry is up to whoever installs; the hash says what comes of it.
    if (resolved !== undefined) problems.push(`package-lock.json: "${path}" names an address, ${resolved}: drop it`);
    const name = path.split("node_modules/").at(-1) as string;
    if (hasInstallScript === true && manifest.allowScripts?.[name] === undefined) {
      problems.push(`package.json: allowScripts does not say whether "${name}" may run its install script`);
    }
  }
  return problems;
}

/** What is wrong with a workflow of GitHub: sentences. Looked at line by line; it need not be understood for that. */
export function workflowProblems(name: string, text: string): string[] {
  const problems: string[] = [];
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  if (!lines.some((line) => /^permissions:\s*(?:\{\}\s*)?$/.test(line))) {
    problems.push(
      `${name}: no "permissions:" for the whole workflow, so that its token may do what the repository lets`,
    );
  }
  for (const line of lines) {
    const used = /^\s*(?:-\s*)?uses:\s*["']?([^"'\s#]+)/.exec(line)?.[1];
    if (used !== undefined && !used.startsWith("./") && !/@[0-9a-f]{40}$/.test(used)) {
      problems.push(`${name}: "${used}" is not pinned to a commit`);
    }
    if (/^\s*permissions:\s*write-all/.test(line)) problems.push(`${name}: "write-all" is more than anything needs`);
    if (/^\s*pull_request_target\s*:/.test(line)) {
      problems.push(`${name}: pull_request_target gives a stranger's code the repository's token`);
    }
  }
  return problems;
}
