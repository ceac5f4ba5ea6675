import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { messageOf, PetitError } from "../error.ts";
import { isRefusedKey, readPrivateKey } from "../platform/strict_modes.ts";

/** PEM: the private key, and the certificate followed by its chain. */
export interface Certificates {
  readonly key: string;
  readonly cert: string;
}

const KEY = "server.key";
const CERTIFICATE = "server.crt";
const CHAIN = "ca.bundle";

/** How often the files are looked at, in milliseconds. */
const LOOK_EVERY = 1000;

/** Reads the certificates; undefined where there are none. @throws PetitError `certificates-invalid`, or as `readPrivateKey` */
export function readCertificates(folder: string): Certificates | undefined {
  if (stamp(join(folder, KEY)) === "" || stamp(join(folder, CERTIFICATE)) === "") return undefined;
  try {
    const key = readPrivateKey(join(folder, KEY), "shared");
    const own = readFileSync(join(folder, CERTIFICATE), "utf8");
    const chain = stamp(join(folder, CHAIN)) === "" ? "" : readFileSync(join(folder, CHAIN), "utf8");
    if (!new X509Certificate(own).checkPrivateKey(createPrivateKey(key))) {
      throw new Error(`${KEY} is not the key of ${CERTIFICATE}`);
    }
    return { key, cert: `${own.trimEnd()}\n${chain}` };
  } catch (error) {
    if (isRefusedKey(error)) throw error;
    throw new PetitError("certificates-invalid", `Cannot use the certificates in "${folder}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Calls `changed` whenever one of the files is another one than before. It looks at them instead of asking the
 * system to be told, which misses replaced folders and links, as certbot and Kubernetes make them.
 *
 * @param others more files to look at
 * @returns a function that stops it
 */
export function watchCertificates(folder: string, changed: () => void, others: readonly string[] = []): () => void {
  const files = [...[KEY, CERTIFICATE, CHAIN].map((name) => join(folder, name)), ...others];
  const look = () => files.map(stamp).join(" ");
  let before = look();
  const timer = setInterval(() => {
    const now = look();
    if (now === before) return;
    before = now;
    changed();
  }, LOOK_EVERY);
  return () => clearInterval(timer);
}

function stamp(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.mtimeMs}:${stats.size}:${stats.ino}:${stats.mode}:${stats.uid}`;
}
