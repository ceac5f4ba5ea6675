import { existsSync, readFileSync, renameSync, statSync, utimesSync } from "node:fs";
import { dirname } from "node:path";
import { messageOf, PetitError } from "../../error.ts";
import { removeStateFile, writeStateFile } from "../../platform/state_file.ts";
import { syncFolder } from "../../platform/sync_folder.ts";
import { isProvable } from "../../tunnel/host_keys.ts";
import { type HostKey, makeHostKey, readHostKey } from "./host_key.ts";

/** A host key with the date of its file. */
export interface DatedHostKey extends HostKey {
  /** In milliseconds since 1970. */
  readonly since: number;
}

/** The host keys of a server, each a file with its public half beside it. */
export interface HostKeyFiles {
  /** What it shows to whoever connects. */
  readonly current: DatedHostKey;
  /** What it is to show after that, and vouches for meanwhile. */
  readonly next: DatedHostKey | undefined;
  /** Why the next one cannot be used, where it is there. */
  readonly problem: PetitError | undefined;
}

/** Where the next host key is, beside the current one. */
export const nextOf = (file: string): string => `${file}.next`;

/** Where the one before is kept. */
export const formerOf = (file: string): string => `${file}.former`;

/** Reads the current host key and the next one. @throws PetitError as `readHostKey`, for the current one only */
export function readHostKeys(file: string): HostKeyFiles {
  const current = dated(file);
  if (!existsSync(nextOf(file))) return { current, next: undefined, problem: undefined };
  try {
    const next = dated(nextOf(file));
    if (!isProvable(next.publicKey)) {
      throw new PetitError("host-key-unusable", `The next host key "${nextOf(file)}" is not of the type ssh-ed25519`, {
        hint: 'Give it up with "petit server hostkey abort"',
      });
    }
    return { current, next, problem: undefined };
  } catch (error) {
    const problem = error instanceof PetitError
      ? error
      : new PetitError("host-key-unusable", `Cannot use the host key "${nextOf(file)}": ${messageOf(error)}`);
    return { current, next: undefined, problem };
  }
}

/** The fingerprint of the former host key's file; undefined where there is none, null where nobody can tell. */
export function formerFingerprint(file: string): string | null | undefined {
  if (!existsSync(formerOf(file))) return undefined;
  try {
    return readHostKey(formerOf(file)).publicKey.fingerprint;
  } catch {
    return null;
  }
}

/** Makes the next host key. @throws PetitError `state-unwritable` */
export function makeNext(file: string): void {
  makeHostKey(nextOf(file));
  syncFolder(dirname(file));
}

/** Takes the next host key away. @throws PetitError `state-unwritable` */
export function removeNext(file: string): void {
  removeStateFile(nextOf(file));
  removeStateFile(`${nextOf(file)}.pub`);
  syncFolder(dirname(file));
}

/**
 * What it takes to make the next host key the current one, step by step. After each of them the file of the current one is whole, and a key that clients
 * know: either the one before or, by a single renaming, the next. What is left undone then, the public halves, is made good by {@link tidy}.
 */
export function finishingSteps(file: string): (() => void)[] {
  const next = nextOf(file);
  return [
    () => {
      const { privatePem, publicKey } = readHostKey(file);
      writeStateFile(`${formerOf(file)}.pub`, `${publicKey.line} petit host key\n`, 0o644);
      writeStateFile(formerOf(file), privatePem);
      syncFolder(dirname(file));
    },
    () => {
      try {
        // The date by which people see since when it is the current one.
        utimesSync(next, new Date(), new Date());
        renameSync(next, file);
      } catch (error) {
        throw new PetitError("state-unwritable", `Cannot make "${next}" the host key: ${messageOf(error)}`, {
          hint: "Check that the folder belongs to this user",
          cause: error,
        });
      }
    },
    () => {
      syncFolder(dirname(file));
      tidy(file);
    },
  ];
}

/** Makes the public half that of the key beside it, where a next host key has become the current one and that was left undone. @throws Error */
export function tidy(file: string): void {
  const left = `${nextOf(file)}.pub`;
  if (existsSync(nextOf(file)) || !existsSync(left)) return;
  const { line } = readHostKey(file).publicKey;
  const half = `${file}.pub`;
  // One that is not there was taken away by a person, who need not have it again.
  if (existsSync(half) && !readFileSync(half, "utf8").startsWith(line)) {
    writeStateFile(half, `${line} petit host key\n`, 0o644);
  }
  removeStateFile(left);
}

function dated(file: string): DatedHostKey {
  const key = readHostKey(file);
  return { ...key, since: Math.round(statSync(file).mtimeMs) };
}
