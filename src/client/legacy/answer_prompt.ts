import { Buffer } from "node:buffer";
import { privateDecrypt } from "node:crypto";
import { join } from "node:path";
import { PetitError } from "../../error.ts";
import { type RsaKey, rsaKeyOf } from "../../tunnel/rsa_key.ts";
import { ownKey } from "../state.ts";

/** Bytes of a prompt: 0.6.x sends 50. Whatever else was encrypted to the key is not given away to whoever asks on a plain connection. */
const LONGEST_PROMPT = 64;

/** The RSA key of a client that is registered. @throws PetitError `key-not-rsa`, or as `ownKey` */
export function ownRsaKey(folder: string, server: string): RsaKey {
  const key = rsaKeyOf(ownKey(folder).privatePem);
  if (key !== undefined) return key;
  const file = join(folder, "key");
  throw new PetitError(
    "key-not-rsa",
    `${server} is a petit 0.6 server, which takes RSA keys only, and "${file}" is none`,
    {
      hint:
        'Set up another client for that server, in a folder of its own: "petit client register -c FOLDER/config.toml". If this one is registered nowhere, move its key away and register: an RSA key is made then',
    },
  );
}

/**
 * Answers the prompt with which a server of 0.6.x has a client show its key: random bytes that it has encrypted to the registered key (RSA-OAEP with SHA-1).
 *
 * @param prompt base64
 * @returns the bytes, base64
 * @throws PetitError `prompt-unreadable`
 */
export function answerPrompt(key: RsaKey, prompt: string): string {
  let bytes: Buffer;
  try {
    bytes = privateDecrypt(key.privatePem, Buffer.from(prompt, "base64"));
  } catch (error) {
    throw new PetitError("prompt-unreadable", "The server's prompt is not for this client's key", {
      hint: "The key was replaced, or the server has given the id to another client: register again",
      cause: error,
    });
  }
  if (bytes.length > LONGEST_PROMPT) {
    throw new PetitError(
      "prompt-unreadable",
      `The server's prompt has ${bytes.length} bytes, and no petit 0.6 server's has`,
    );
  }
  return bytes.toString("base64");
}
