import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** The Debian packages that bring what is measured with. */
const PACKAGES = {
  nginx: "nginx-light",
  wrk: "wrk",
  curl: "curl",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  sshd: "openssh-server",
};
type Program = keyof typeof PACKAGES;
export type Programs = Readonly<Record<Program, string>>;

/** Programs that are not there. */
export class MissingPrograms extends Error {}

/** Where the programs are; ordinary users have no sbin in their PATH. @throws MissingPrograms */
export function findPrograms(): Programs {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];
  const names = Object.keys(PACKAGES) as Program[];
  const found = new Map(names.map((name) => [name, folders.map((folder) => join(folder, name)).find(isExecutable)]));
  const missing = names.filter((name) => found.get(name) === undefined);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((name) => PACKAGES[name]))];
    throw new MissingPrograms(
      `Not installed: ${missing.join(", ")}. On Debian: apt-get install ${packages.join(" ")}`,
    );
  }
  return Object.fromEntries(found) as Programs;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
