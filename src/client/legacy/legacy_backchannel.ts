import type { ClientConfig } from "../../config/schema.ts";
import type { Log } from "../../observe/log.ts";
import { PetitError } from "../../error.ts";
import { CAUSES, closedBy } from "../../tunnel/disconnect_cause.ts";
import { type LegacyVitae, UNTOLD_SERVER } from "../../tunnel/legacy_messages.ts";
import type { RsaKey } from "../../tunnel/rsa_key.ts";
import type { ClientMessage, ClientVitae, Registered, ServerMessage } from "../../tunnel/messages.ts";
import type { BackchannelEnd, Notice } from "../backchannel_end.ts";
import { readRegistration, type TenantRegistration } from "../state.ts";
import { tenantNames } from "../tenants.ts";
import { ownRsaKey } from "./answer_prompt.ts";
import { LegacyConnection } from "./legacy_connection.ts";
import { isRefusal, isRegisteredAt, unregisterAt } from "./legacy_dialogues.ts";
import { legacyEndpoint } from "./legacy_endpoint.ts";
import { LegacyPresence } from "./legacy_presence.ts";
import { probeLoop } from "./probe_loop.ts";

export interface LegacyParts {
  readonly config: ClientConfig;
  /** The folder with the key and the tenants. */
  readonly folder: string;
  /**
   * Whether a handshake is to make this the client's connection to its server. There is one at a time: it would take the place of that of a daemon
   * that runs.
   */
  readonly holds: boolean;
  /** Told of a connection that this one has taken the place of. */
  readonly log?: Pick<Log, "info">;
}

/** Milliseconds for a server that has closed a connection to show that it is still there. */
const STILL_THERE = 2000;

/**
 * The backchannel with a server of 0.6.x: today's messages, each of which becomes a dialogue of version 1 (legacy_messages.ts) on a plain TCP connection of its
 * own. That of the handshake stays open, as long as this does.
 */
export class LegacyBackchannel implements BackchannelEnd {
  readonly legacy = true;
  readonly throughSshd = false;
  onNotice: (notice: Notice) => void = () => {};
  onLost: (cause: string) => void = () => {};
  readonly #parts: LegacyParts;
  readonly #closing = new AbortController();
  #key: RsaKey | undefined;
  #presence: LegacyPresence | undefined;
  /** For pings: what is measured is a question and its answer. */
  #pinged: LegacyConnection | undefined;

  constructor(parts: LegacyParts) {
    this.#parts = parts;
  }

  /** @throws PetitError as `LegacyConnection`, with today's codes where there are some; `key-not-rsa`, `prompt-unreadable` */
  async ask<Type extends ServerMessage["type"]>(
    message: ClientMessage,
    type: Type,
  ): Promise<ServerMessage & { type: Type }> {
    const answer = await this.#answer(message);
    if (answer.type !== type) throw new Error(`"${message.type}" is not answered "${type}"`);
    return answer as ServerMessage & { type: Type };
  }

  close(): void {
    this.#closing.abort(new PetitError("backchannel-lost", "The connection to the server is over"));
    this.#presence?.close();
    this.#pinged?.close();
  }

  async #answer(message: ClientMessage): Promise<ServerMessage> {
    switch (message.type) {
      case "ping1":
        await this.#ping();
        return { type: "didPing1" };
      case "handshake1":
        return this.#parts.holds ? await this.#shake(message.vitae) : await this.#look();
      case "unregister1":
        await this.#unregister(message.registeredId);
        return { type: "didUnregister1" };
      case "probe1":
        return await this.#probe(message.registeredId);
      case "release1":
      case "didPing1":
      case "register1":
        throw new Error(`A server of petit 0.6 knows no "${message.type}"`);
    }
  }

  async #ping(): Promise<void> {
    if (this.#pinged?.alive !== true) this.#pinged = await this.#open();
    await this.#pinged.ask({ type: "ping1" }, "didPing1");
  }

  /** Makes the server send callers of all registrations here. */
  async #shake(vitae: ClientVitae): Promise<ServerMessage & { type: "shakehand1" }> {
    const presence = this.#presence ??= new LegacyPresence({
      open: () => this.#open(),
      key: this.#ownKey,
      log: this.#parts.log,
      onClosed: () => void this.#closedByServer(),
    });
    // What stands is silent, and shows nothing of the server by that.
    if (this.#registrations.every(({ id }) => presence.has(id))) await this.#ping();
    return this.#shakehand(await presence.announce(this.#registrations, vitae), presence.vitae);
  }

  /** What the server knows, without any effect there. */
  async #look(): Promise<ServerMessage & { type: "shakehand1" }> {
    const ports = new Map<string, number>();
    for (const { id, port } of this.#registrations) if (await this.#isKnown(id)) ports.set(id, port);
    return this.#shakehand(ports, undefined);
  }

  /** Whether the server has that registration, for this key. */
  #isKnown(id: string): Promise<boolean> {
    return this.#once((connection) => isRegisteredAt(connection, this.#ownKey, id));
  }

  async #unregister(id: string): Promise<void> {
    try {
      await this.#once((connection) => unregisterAt(connection, this.#ownKey, id));
    } catch (error) {
      if (!isRefusal(error) || await this.#isKnown(id)) throw error;
      throw unknown(id, error);
    }
  }

  async #probe(id: string): Promise<ServerMessage & { type: "didProbe1" }> {
    const { config, folder } = this.#parts;
    const presence = this.#presence;
    if (presence?.has(id) !== true) throw unknown(id);
    return await probeLoop({ config, folder, id, template: presence.vitae?.endpoint, signal: this.#closing.signal });
  }

  #shakehand(
    ports: ReadonlyMap<string, number>,
    vitae: LegacyVitae = UNTOLD_SERVER,
  ): ServerMessage & { type: "shakehand1" } {
    const { host } = this.#parts.config;
    const registrations = [...ports].map(([registeredId, registeredPort]): Registered => ({
      registeredId,
      registeredPort,
      endpoint: legacyEndpoint(vitae.endpoint, registeredId, host, registeredPort),
    }));
    const { environment, endpoint = "", version } = vitae;
    return { type: "shakehand1", registrations, vitae: { environment, endpoint, version } };
  }

  /** The server has closed a connection that stands for this client. */
  async #closedByServer(): Promise<void> {
    // One that stops takes no connections any more by now.
    const isThere = await this.#once((connection) => connection.ask({ type: "ping1" }, "didPing1"), STILL_THERE)
      .then(() => true, () => false);
    if (!this.#closing.signal.aborted) this.onLost(isThere ? CAUSES.takenOver : closedBy("server"));
  }

  async #once<Result>(dialogue: (connection: LegacyConnection) => Promise<Result>, timeout?: number): Promise<Result> {
    const connection = await this.#open(timeout);
    try {
      return await dialogue(connection);
    } finally {
      connection.close();
    }
  }

  #open(timeout = this.#parts.config.connectTimeout): Promise<LegacyConnection> {
    const { config: { host, backPort: port } } = this.#parts;
    return LegacyConnection.open({ host, port, timeout }, this.#closing.signal);
  }

  get #ownKey(): RsaKey {
    const { config: { host, port }, folder } = this.#parts;
    return this.#key ??= ownRsaKey(folder, `${host}:${port}`);
  }

  get #registrations(): TenantRegistration[] {
    const { folder } = this.#parts;
    return tenantNames(folder).flatMap((tenant) => {
      try {
        return readRegistration(folder, tenant) ?? [];
      } catch {
        // Whoever reads the tenants tells.
        return [];
      }
    });
  }
}

const unknown = (id: string, cause?: unknown) =>
  new PetitError("registration-unknown", `The server does not know registration ${id} of this key; register again`, {
    cause,
  });
