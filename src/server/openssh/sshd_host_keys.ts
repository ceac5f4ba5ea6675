import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, PetitError } from "../../error.ts";
import { blobOf, isSound, type PublicKey, readKeyLine } from "../../tunnel/keys.ts";

/**
 * The public host keys of the system's sshd.
 *
 * @param pattern a file, a folder (all *.pub in it), or a file's name with * in it
 * @throws PetitError `sshd-host-keys-unreadable`
 */
export function readSshdHostKeys(pattern: string): PublicKey[] {
  let files: string[];
  const keys: PublicKey[] = [];
  try {
    files = filesOf(pattern);
    for (const file of files) keys.push(...keysOf(readFileSync(file, "latin1")));
  } catch (error) {
    throw unreadable(pattern, messageOf(error), error);
  }
  if (keys.length === 0) {
    throw unreadable(pattern, files.length === 0 ? "there is no such file" : "there is no public key in it");
  }
  return keys;
}

function filesOf(pattern: string): string[] {
  const name = basename(pattern);
  if (!name.includes("*")) {
    return statSync(pattern).isDirectory() ? filesOf(join(pattern, "*.pub")) : [pattern];
  }
  const parts = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const wanted = new RegExp(`^${parts.join(".*")}$`);
  return readdirSync(dirname(pattern)).filter((file) => wanted.test(file)).sort().map((file) =>
    join(dirname(pattern), file)
  );
}

function keysOf(text: string): PublicKey[] {
  return text.split("\n").flatMap((line) => {
    const key = readKeyLine(line);
    // What the client could not verify is of no use to it.
    return key !== undefined && isSound(blobOf(key)) && !key.line.startsWith("ssh-dss ") ? [key] : [];
  });
}

function unreadable(pattern: string, why: string, cause?: unknown): PetitError {
  return new PetitError("sshd-host-keys-unreadable", `Cannot read the public host keys of sshd, "${pattern}": ${why}`, {
    hint: "[server.ssh] sshdHostKeys names them: clients are told them when they register, and trust no others",
    cause,
  });
}
