import { messageOf, PetitError, systemCode } from "../../error.ts";
import { writeStateFile } from "../../platform/state_file.ts";
import { isRefusedKey, readPrivateKey } from "../../platform/strict_modes.ts";
import { generateKey, type PublicKey, publicKeyOf } from "../../tunnel/keys.ts";

export interface HostKey {
  readonly privatePem: string;
  readonly publicKey: PublicKey;
}

/** Reads the server's host key. @throws PetitError `host-key-missing`, `host-key-unusable`, or as `readPrivateKey` */
export function readHostKey(file: string): HostKey {
  try {
    const privatePem = readPrivateKey(file);
    return { privatePem, publicKey: publicKeyOf(privatePem) };
  } catch (error) {
    if (isRefusedKey(error)) throw error;
    if (systemCode(error) === "ENOENT") {
      throw new PetitError("host-key-missing", `There is no host key "${file}"`, {
        hint: 'Make one with "petit server init"; if there was one, restore it: clients trust no other',
        cause: error,
      });
    }
    throw new PetitError("host-key-unusable", `Cannot use the host key "${file}": ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Makes a host key (ed25519) with its public half beside it. */
export function makeHostKey(file: string): HostKey {
  const { privatePem, publicKey } = generateKey("petit host key");
  writeStateFile(`${file}.pub`, `${publicKey.line} petit host key\n`, 0o644);
  writeStateFile(file, privatePem);
  return { privatePem, publicKey };
}
