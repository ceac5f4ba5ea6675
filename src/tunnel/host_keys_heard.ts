import { Buffer } from "node:buffer";
import { contentOfRequest, GLOBAL_REQUEST, globalRequest, HOST_KEYS, HOST_KEYS_PROVE } from "./host_keys.ts";
import { isProof, readKeys } from "./host_keys.ts";
import { blobOf, type PublicKey } from "./keys.ts";
import { type ConnectionInternals, sendMessage } from "./ssh_library.ts";
import { readStrings, sshString } from "./ssh_strings.ts";

/** What a client hears of its server's host keys on one connection. The server may be anyone: what it says proves nothing by itself. */
export class HostKeysHeard {
  readonly #internals: ConnectionInternals;
  /** What was announced last, while nobody has wanted to know. */
  #unheard: { readonly keys: readonly PublicKey[] | undefined } | undefined;
  #onAnnounced: ((keys: readonly PublicKey[] | undefined) => void) | undefined;

  /** @param connection the library's Client, which has received nothing yet */
  constructor(connection: object) {
    this.#internals = connection as ConnectionInternals;
    const protocol = this.#internals._protocol;
    const library = protocol._onPayload;
    // Before the library, which ends the connection where a list is damaged, and asks for the proof of whatever comes.
    protocol._onPayload = (payload) => {
      const request = payload[0] === GLOBAL_REQUEST ? contentOfRequest(payload, HOST_KEYS) : undefined;
      if (request === undefined) return library(payload);
      if (request.wantReply) protocol.requestSuccess();
      this.#hear(readKeys(request.content));
      return undefined;
    };
  }

  /** Told the host keys that the server says it has, each time that it does; undefined where the list makes no sense. */
  set onAnnounced(handler: (keys: readonly PublicKey[] | undefined) => void) {
    this.#onAnnounced = handler;
    const unheard = this.#unheard;
    this.#unheard = undefined;
    if (unheard !== undefined) handler(unheard.keys);
  }

  /** Has the server prove that it has these keys (ed25519). False where it does not prove every one of them; never settles where it does not answer. */
  prove(keys: readonly PublicKey[]): Promise<boolean> {
    return new Promise((resolve) => {
      this.#internals._callbacks?.push((failed, data) => {
        const sessionId = this.#internals._protocol._kex?.sessionID;
        const proofs = failed || !Buffer.isBuffer(data) ? undefined : readStrings(data, keys.length);
        resolve(
          sessionId !== undefined && proofs?.length === keys.length &&
            keys.every((key, index) => isProof(proofs[index] as Buffer, key, sessionId)),
        );
      });
      const blobs = Buffer.concat(keys.map((key) => sshString(blobOf(key))));
      sendMessage(this.#internals, GLOBAL_REQUEST, globalRequest(HOST_KEYS_PROVE, true, blobs));
    });
  }

  #hear(keys: readonly PublicKey[] | undefined): void {
    if (this.#onAnnounced !== undefined) this.#onAnnounced(keys);
    else this.#unheard = { keys };
  }
}
