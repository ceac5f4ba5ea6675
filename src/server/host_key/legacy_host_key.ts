import { existsSync } from "node:fs";
import { writeStateFile } from "../../platform/state_file.ts";
import { generateEcdsaKey } from "../../tunnel/keys.ts";
import { type HostKey, readHostKey } from "./host_key.ts";

/**
 * The host key for clients of petit 0.6.x on runtimes without ed25519 (Node before 12), in a file beside the current one: ECDSA on P-256. They verify
 * no host key; others are shown the current one, which they prefer. Made where it is missing.
 *
 * @param file of the current host key
 * @throws PetitError as `readHostKey`, or `state-unwritable`
 */
export function legacyHostKey(file: string): HostKey {
  const legacyFile = `${file}.legacy`;
  if (!existsSync(legacyFile)) writeStateFile(legacyFile, generateEcdsaKey("petit host key for clients of 0.6"));
  return readHostKey(legacyFile);
}
