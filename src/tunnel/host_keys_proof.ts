import { Buffer } from "node:buffer";
import { GLOBAL_REQUEST, globalRequest, HOST_KEYS, HOST_KEYS_PROVE, isProvable, readKeys } from "./host_keys.ts";
import { signProof } from "./host_keys.ts";
import { blobOf, type PublicKey } from "./keys.ts";
import { type ConnectionInternals, sendMessage } from "./ssh_library.ts";
import { sshString } from "./ssh_strings.ts";

/** A host key of this server. */
export interface HostKeyPair {
  readonly privatePem: string;
  readonly publicKey: PublicKey;
}

/** Requests that may wait for the answers to those before them; OpenSSH has a handful on the way at most. */
const MOST_WAITING = 256;

/** Times that a client is given proofs each time that it has been told of the keys: once is enough, and a signature costs more than a question. */
const MOST_PROOFS = 8;

interface GlobalRequest {
  readonly self: unknown;
  readonly name: string;
  readonly wantReply: boolean;
  readonly data: unknown;
}

/** The server's end of one connection, as far as its host keys are concerned: names them, and proves those that are asked for. */
export class HostKeysProof {
  readonly #internals: ConnectionInternals;
  readonly #offered: () => readonly HostKeyPair[];
  readonly #onProven: (keys: readonly PublicKey[]) => void;
  /** Requests that the library has, and has not answered. */
  #unanswered = 0;
  /** Requests that the library has not been given yet. */
  readonly #waiting: GlobalRequest[] = [];
  #working = false;
  #proofs = 0;

  /**
   * @param connection the library's Connection, logged in
   * @param offered the keys that this server proves at that time
   * @param onProven told what the client has asked for and been given
   */
  constructor(
    connection: object,
    offered: () => readonly HostKeyPair[],
    onProven: (keys: readonly PublicKey[]) => void,
  ) {
    this.#internals = connection as ConnectionInternals;
    this.#offered = offered;
    this.#onProven = onProven;
    this.#takeRequests();
  }

  /** Tells the client all host keys of this server. */
  announce(): void {
    this.#proofs = 0;
    const blobs = this.#offered().map(({ publicKey }) => sshString(blobOf(publicKey)));
    sendMessage(this.#internals, GLOBAL_REQUEST, globalRequest(HOST_KEYS, false, Buffer.concat(blobs)));
  }

  /** Answers have no numbers but their order (RFC 4254, section 4), and the library takes its time for some. */
  #takeRequests(): void {
    const protocol = this.#internals._protocol;
    const library = protocol._handlers.GLOBAL_REQUEST;
    for (const name of ["requestSuccess", "requestFailure"] as const) {
      const send = protocol[name].bind(protocol);
      protocol[name] = (data?: Buffer) => {
        send(data);
        this.#unanswered--;
        this.#work(library);
      };
    }
    protocol._handlers.GLOBAL_REQUEST = (self, name, wantReply, data) => {
      // It lies in the memory of the packet.
      const kept = Buffer.isBuffer(data) && this.#waiting.length > 0 ? Buffer.from(data) : data;
      if (this.#waiting.push({ self, name, wantReply, data: kept }) > MOST_WAITING) {
        throw new Error("more requests than anyone waits for");
      }
      this.#work(library);
    };
  }

  #work(library: ConnectionInternals["_protocol"]["_handlers"]["GLOBAL_REQUEST"]): void {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let request = this.#waiting[0]; request !== undefined; request = this.#waiting[0]) {
        const { self, name, wantReply, data } = request;
        const isOurs = name === HOST_KEYS_PROVE && wantReply;
        if (isOurs && this.#unanswered > 0) return void this.#keep(request);
        this.#waiting.shift();
        if (wantReply) this.#unanswered++;
        if (isOurs) this.#prove(data as Buffer);
        else library(self, name, wantReply, data);
      }
    } finally {
      this.#working = false;
    }
  }

  #keep(request: GlobalRequest): void {
    this.#waiting[0] = { ...request, data: Buffer.from(request.data as Buffer) };
  }

  #prove(content: Buffer): void {
    const protocol = this.#internals._protocol;
    const asked = this.#proofs < MOST_PROOFS ? readKeys(content) ?? [] : [];
    const offered = this.#offered();
    const pairs = asked.map(({ line }) => offered.find(({ publicKey }) => publicKey.line === line));
    const sessionId = protocol._kex?.sessionID;
    const known = pairs.filter((pair) => pair !== undefined && isProvable(pair.publicKey)) as HostKeyPair[];
    if (sessionId === undefined || known.length === 0 || known.length < pairs.length) return protocol.requestFailure();
    const proofs = known.map(({ privatePem, publicKey }) => sshString(signProof(privatePem, publicKey, sessionId)));
    this.#proofs++;
    protocol.requestSuccess(Buffer.concat(proofs));
    this.#onProven(asked);
  }
}
