import { randomBytes } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Audit } from "../../audit/audit_event.ts";
import { PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import type { Registration } from "../../registry/registry.ts";
import { blobOf, type PublicKey, readKeyLine } from "../../tunnel/keys.ts";
import { refuseOtherVersion } from "../../tunnel/message_version.ts";
import {
  type ClientMessage,
  clientMessage,
  type ClosedCode,
  PROOF_NAMESPACE,
  proofMessage,
} from "../../tunnel/messages.ts";
import { isSignedBy } from "../../tunnel/sshsig.ts";
import type { PlainPeer } from "../plain_backchannel.ts";
import type { PlainDialogue } from "../plain_connection.ts";
import type { Registrar } from "../registrar.ts";
import type { Routes } from "../routes.ts";
import { ProvenClient } from "./proven_client.ts";
import type { ProvenClients } from "./proven_clients.ts";

export interface ProvenDialogueParts {
  readonly registrar: Registrar;
  readonly routes: Routes;
  readonly clients: ProvenClients;
  readonly audit: Audit;
  readonly log: Log;
  readonly noise: OnceAMinute;
  /** Frees the port of a registration of the client's. @throws PetitError `port-held` */
  release(registration: Registration, client: ProvenClient): Promise<void>;
  /** Told which of its registrations a client lets nobody in to. */
  onClosed(client: ProvenClient, closed: ReadonlyMap<string, ClosedCode>): void;
  /** A client may have asked sshd to listen, or not to: finds out. */
  look(): Promise<void>;
  /** Told when the backchannel of a tunnel is gone. */
  onGone(client: ProvenClient): void;
}

/** Messages that one connection may take for its proof: a client of petit's takes two. */
const MOST_ASKED = 20;

/** Bytes that a client has to sign: nobody has signed them before. */
const PROMPT_SIZE = 32;

/** One connection to the plain backchannel that came through sshd: a proof of the client's key, and then what it has to say. */
export class ProvenDialogue implements PlainDialogue {
  readonly #parts: ProvenDialogueParts;
  readonly #peer: PlainPeer;
  #asked: { readonly key: PublicKey; readonly prompt: Buffer } | undefined;
  #key: PublicKey | undefined;
  #client: ProvenClient | undefined;
  #count = 0;

  constructor(parts: ProvenDialogueParts, peer: PlainPeer) {
    this.#parts = parts;
    this.#peer = peer;
  }

  async take(raw: unknown): Promise<void> {
    const { connection } = this.#peer;
    const client = this.#client;
    if (client === undefined) return await this.#unproven(raw);
    client.heard = performance.now();
    const message = clientMessage.safeParse(raw).data;
    if (message?.type === "didPing1") return client.didPing();
    if (message?.type === "release1") {
      await this.#release(message.registeredId, client);
      return await connection.say({ type: "didRelease1" });
    }
    if (message?.type === "handshake1") this.#introduced(message, client);
    const reply = await this.#parts.registrar.reply(raw, {
      key: this.#key as PublicKey,
      address: connection.address,
      join: undefined,
      onClosed: (closed) => this.#parts.onClosed(client, closed),
    });
    // Whoever introduces itself asks afterwards, to be told when callers are sent.
    if (message?.type === "ping1" && client.tunnelId !== undefined) await this.#parts.look();
    await connection.say(reply);
  }

  /** Each costs the server more than its peer, and whoever comes through sshd has no address of its own that it could weigh on. */
  async #unproven(raw: unknown): Promise<void> {
    const { connection } = this.#peer;
    if (++this.#count <= MOST_ASKED) return await connection.say(this.#prove(raw));
    this.#peer.charge();
    const error = `A client may take ${MOST_ASKED} messages to prove its key`;
    await connection.say({ type: "error", code: "asked-too-often", error });
    connection.finish();
  }

  closed(): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#parts.clients.remove(client);
    this.#parts.onGone(client);
  }

  /** A connection without a name for its tunnel is one of a command beside the client. */
  #introduced({ tunnel }: ClientMessage & { type: "handshake1" }, client: ProvenClient): void {
    if (tunnel === undefined) return;
    client.tunnelId = tunnel;
    this.#parts.clients.add(client);
  }

  /** @throws PetitError */
  #prove(raw: unknown): object {
    refuseOtherVersion(raw, "client");
    const parsed = proofMessage.safeParse(raw);
    if (!parsed.success) {
      throw new PetitError("identity-unproven", "This backchannel takes nothing before the client's key is proven");
    }
    const message = parsed.data;
    if (message.type === "prove1") {
      const key = readKeyLine(message.publicKey);
      if (key?.line !== message.publicKey) throw new PetitError("key-invalid", "The key is not one in SSH's format");
      if (this.#parts.routes.ofKey(key.fingerprint).length === 0) throw this.#refused(key, "it is not registered here");
      const prompt = randomBytes(PROMPT_SIZE);
      this.#asked = { key, prompt };
      return { type: "didProve1", prompt: prompt.toString("base64") };
    }
    const asked = this.#asked;
    // A prompt is good for one attempt.
    this.#asked = undefined;
    if (asked === undefined) throw new PetitError("identity-unproven", "There is no prompt that this would answer");
    const signature = Buffer.from(message.signature, "base64");
    if (!isSignedBy(blobOf(asked.key), PROOF_NAMESPACE, asked.prompt, signature)) {
      throw this.#refused(asked.key, "the signature is not one of that key over the prompt");
    }
    if (this.#parts.routes.ofKey(asked.key.fingerprint).length === 0) {
      throw this.#refused(asked.key, "it is not registered here any more");
    }
    const { connection } = this.#peer;
    this.#peer.proven(asked.key.fingerprint);
    this.#key = asked.key;
    this.#client = new ProvenClient(asked.key.fingerprint, connection);
    return { type: "didProve2" };
  }

  #refused({ fingerprint: key }: PublicKey, why: string): PetitError {
    const { log, noise, audit } = this.#parts;
    this.#peer.charge();
    // A stranger has as many keys as it likes.
    noise.tellOf(
      "proof-refused",
      key,
      (repeated) =>
        log.warn(
          { code: "identity-unproven", key, repeated },
          `A backchannel was refused: the key is not proven, ${why}`,
        ),
    );
    audit.recordOften("login-refused", `${key} backchannel`, { key, code: "identity-unproven", why });
    return new PetitError("identity-unproven", `The server does not take this key (${key}): ${why}`);
  }

  async #release(id: string, client: ProvenClient): Promise<void> {
    const registration = this.#parts.routes.ofKey(client.fingerprint).find((own) => own.id === id);
    if (registration === undefined) {
      this.#parts.audit.recordOften("permission-refused", `${client.fingerprint} release`, {
        ...{ key: client.fingerprint, code: "registration-unknown", why: `A client asked for the port of "${id}"` },
      });
      throw new PetitError("registration-unknown", `This client has no registration "${id}"`);
    }
    await this.#parts.release(registration, client);
  }
}
