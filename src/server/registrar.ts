import type { Audit } from "../audit/audit_event.ts";
import type { ServerConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { version } from "../platform/version.ts";
import type { Registration, Registry } from "../registry/registry.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import { encodeMessage, MessageDecoder } from "../tunnel/message_stream.ts";
import { refuseOtherVersion } from "../tunnel/message_version.ts";
import {
  type ClientMessage,
  clientMessage,
  type ClosedCode,
  HANDSHAKE_VERSION,
  MESSAGE_TYPES,
  type Registered,
  type ServerMessage,
  type SshTarget,
  type ToldDisconnect,
} from "../tunnel/messages.ts";
import { rememberVitae } from "./remember_vitae.ts";
import type { Disconnects } from "./disconnects.ts";
import type { NewRegistrations } from "./new_registrations.ts";
import type { NewRegistration } from "./register_on_free_port.ts";
import type { Prober } from "./probe/prober.ts";
import type { Routes } from "./routes.ts";
import type { Tunnels } from "./tunnels.ts";
import { isOwnFault, toldError } from "./own_fault.ts";

/** Messages of one backchannel that may wait for their answers; who sends more, or does not read the answers, is read no further for a while. */
const MAX_WAITING = 16;

/** Milliseconds for a client to read what it is told last. */
const ENDS_WITHIN = 10_000;

/** Characters of what is wrong with a client's services that it is told at a time: all of it has to go into one message. */
const MAX_UNWELL = 8 * 1024;

/** Who is at the other end of a backchannel; proven by the SSH login. */
export interface BackchannelPeer {
  readonly key: PublicKey;
  /** IP address. */
  readonly address: string;
  /** May make registrations: it logged in as "join". The hash is that of its join code, null where none is needed. */
  readonly join: { readonly hash: string | null } | undefined;
  /** Told which of its registrations the client lets nobody in to. */
  onClosed?(closed: ReadonlyMap<string, ClosedCode>): void;
  /** Told of the backchannel on which the client introduces itself: what is to be said unasked goes there. */
  onHandshake?(channel: DuplexChannel): void;
}

export interface RegistrarParts {
  /** Read anew for each message: a reload changes it. */
  readonly config: ServerConfig;
  readonly registry: Registry;
  readonly registrations: NewRegistrations;
  readonly routes: Routes;
  readonly tunnels: Tunnels;
  readonly disconnects: Disconnects;
  readonly prober: Prober;
  readonly audit: Audit;
  readonly log: Log;
  readonly noise: OnceAMinute;
  /** Where clients connect that have registered, if not here. @throws PetitError where that cannot be told */
  sshTarget?(): SshTarget;
  /** Told which host keys of this server a registered client has pinned. */
  onHostKeys(fingerprint: string, pinned: readonly string[]): void;
}

/** Answers the backchannel of every client (messages.ts): registers, and tells what is registered. */
export class Registrar {
  readonly #parts: RegistrarParts;

  constructor(parts: RegistrarParts) {
    this.#parts = parts;
  }

  serve(channel: DuplexChannel, peer: BackchannelPeer): void {
    const decoder = new MessageDecoder();
    let queue = Promise.resolve();
    let waiting = 0;
    let drained = () => {};
    let ending: NodeJS.Timeout | undefined;
    const answer = async (raw: unknown): Promise<void> => {
      if (channel.destroyed) return;
      const reply = await this.reply(raw, peer);
      if (reply.type === "shakehand1") peer.onHandshake?.(channel);
      if (!channel.write(encodeMessage(reply))) await new Promise<void>((resolve) => drained = resolve);
      if (--waiting === MAX_WAITING) channel.resume();
    };
    channel.attach({
      onData: (bytes) => {
        // Behind what is no message nobody knows where the next one begins.
        if (ending !== undefined) return;
        try {
          for (const raw of decoder.take(bytes)) {
            waiting++;
            queue = queue.then(() => answer(raw));
          }
          if (waiting > MAX_WAITING) channel.pause();
        } catch (error) {
          channel.write(encodeMessage({ type: "error", code: "message-invalid", error: messageOf(error) }));
          channel.finish();
          ending = setTimeout(() => channel.close(), ENDS_WITHIN).unref();
        }
      },
      onEnd: () => void queue.then(() => channel.finish()),
      onDrain: () => drained(),
      onClose: () => {
        clearTimeout(ending);
        drained();
      },
    });
  }

  /** The answer to one message. Never rejects. */
  async reply(raw: unknown, peer: BackchannelPeer): Promise<ServerMessage> {
    try {
      return await this.#answer(raw, peer);
    } catch (error) {
      const told = toldError(error);
      const { code } = told;
      if (code === "internal") {
        this.#parts.log.error({ err: error, key: peer.key.fingerprint }, "A backchannel message could not be answered");
      }
      this.#auditRefused(raw, code, peer);
      if (code === "version-refused") this.#tellRefusedVersion(messageOf(error), peer);
      if (isOwnFault(error)) this.#tellOwnFault(error, { key: peer.key.fingerprint }, "A client was refused");
      return { type: "error", ...told };
    }
  }

  /** A registration that was asked for and not made, or something that is not the client's own. */
  #auditRefused(raw: unknown, code: string, { key: { fingerprint: key }, address }: BackchannelPeer): void {
    const asked = (raw as { type?: unknown } | null)?.type;
    const event = asked === "register1"
      ? "registration-refused"
      : code === "registration-unknown"
      ? "permission-refused"
      : undefined;
    if (event !== undefined) this.#parts.audit.recordOften(event, `${key} ${code}`, { address, key, code });
  }

  /** Clients come back by themselves and in numbers: once a minute. */
  #tellOwnFault(error: unknown, facts: object, what: string): void {
    const { log, noise } = this.#parts;
    const { code, hint } = error instanceof PetitError ? error : { code: "internal", hint: undefined };
    noise.tell(`own-fault ${what}`, (repeated) => {
      log.error(
        { ...facts, code, hint, repeated, err: code === "internal" ? error : undefined },
        `${what}: ${messageOf(error)}`,
      );
    });
  }

  /** Its operator learns here why a client stays away. */
  #tellRefusedVersion(reason: string, { key: { fingerprint: key }, address }: BackchannelPeer): void {
    const { log, noise } = this.#parts;
    noise.tellOf("version", key, (repeated) => {
      log.warn({ code: "version-refused", key, address, repeated }, `A client was refused: ${reason}`);
    });
  }

  async #answer(raw: unknown, peer: BackchannelPeer): Promise<ServerMessage> {
    refuseOtherVersion(raw, "client");
    const parsed = clientMessage.safeParse(raw);
    if (!parsed.success) throw notUnderstood(raw);
    const message = parsed.data;
    switch (message.type) {
      case "ping1":
        return { type: "didPing1" };
      case "register1": {
        // First: what cannot be told afterwards would have cost a join code.
        const ssh = this.#parts.sshTarget?.();
        const registered = this.#granted(message, await this.#register(message, peer));
        return { type: "didRegister1", handshakeVersion: HANDSHAKE_VERSION, ...registered, ssh };
      }
      case "handshake1":
        rememberVitae(this.#parts, peer.key.fingerprint, message.vitae, (error) => {
          this.#tellOwnFault(error, { key: peer.key.fingerprint }, "What a client tells of itself could not be kept");
        });
        this.#hear(peer.key.fingerprint, message.disconnects ?? []);
        if (message.hostKeys !== undefined && this.#parts.routes.ofKey(peer.key.fingerprint).length > 0) {
          this.#parts.onHostKeys(peer.key.fingerprint, message.hostKeys);
        }
        for (const { id } of this.#parts.routes.ofKey(peer.key.fingerprint)) {
          const wish = message.services?.[id];
          if (wish !== undefined) this.#parts.tunnels.wish(id, wish);
        }
        this.#close(message, peer);
        return {
          type: "shakehand1",
          handshakeVersion: HANDSHAKE_VERSION,
          registrations: this.#parts.routes.ofKey(peer.key.fingerprint).map((registration) =>
            this.#registered(registration)
          ),
          vitae: { ...this.#parts.config.vitae, version },
          unwell: this.#unwell(peer.key.fingerprint),
        };
      case "unregister1":
        this.#unregister(this.#own(message.registeredId, peer), peer);
        return { type: "didUnregister1" };
      case "probe1":
        return await this.#probe(this.#own(message.registeredId, peer));
      case "release1":
      case "didPing1":
        throw new PetitError(
          "not-here",
          `"${message.type}" is for a backchannel through the system's sshd ([server.ssh] mode = "openssh"), and this one came through petit's own port: the client learns by registering again where it belongs`,
        );
    }
  }

  /** The registration, which has to be the key's own. @throws PetitError `registration-unknown` */
  #own(id: string, { key }: BackchannelPeer): Registration {
    const registration = this.#parts.routes.ofKey(key.fingerprint).find((own) => own.id === id);
    if (registration !== undefined) return registration;
    throw new PetitError("registration-unknown", `This client has no registration "${id}"`);
  }

  #unregister({ id, port, fingerprint, brand }: Registration, { address }: BackchannelPeer): void {
    const { registry, routes, log, audit } = this.#parts;
    registry.unregister(id);
    log.info({ id, port, key: fingerprint, brand }, `Unregistered ${id}, as its client asked`);
    audit.record("registration-removed", { id, port, key: fingerprint, address, by: "client" });
    // After the answer: the tunnel that it comes through may end with its last registration.
    setTimeout(() => routes.remove(id), 0);
  }

  #close({ closed = {} }: ClientMessage & { type: "handshake1" }, { key, onClosed }: BackchannelPeer): void {
    const own = this.#parts.routes.ofKey(key.fingerprint).flatMap(({ id }): [string, ClosedCode][] => {
      const code = closed[id];
      return code === undefined ? [] : [[id, code]];
    });
    onClosed?.(new Map(own));
  }

  #unwell(fingerprint: string): (ServerMessage & { type: "shakehand1" })["unwell"] {
    const { routes, tunnels } = this.#parts;
    let size = 0;
    return Object.fromEntries(
      routes.ofKey(fingerprint).flatMap(({ id }) => {
        const complaint = tunnels.of(id)?.evidence.complaint;
        if (complaint === undefined) return [];
        const { at, code } = complaint;
        const error = complaint.error.slice(0, 1000);
        size += error.length;
        return size > MAX_UNWELL ? [] : [[id, { code, error, ago: performance.now() - at }]];
      }),
    );
  }

  /** Takes the way of a caller's connection, to the service and, where its client has said how, into a first exchange with it. */
  async #probe({ id }: Registration): Promise<ServerMessage> {
    const { tunnels, prober } = this.#parts;
    const served = tunnels.of(id);
    if (served === undefined) {
      const error = "No tunnel serves this registration";
      return { type: "didProbe1", reached: false, milliseconds: 0, code: "tunnel-away", error };
    }
    const probed = await prober.probe(served);
    return { type: "didProbe1", ...probed, ...(probed.reached ? {} : { error: probed.error.slice(0, 1000) }) };
  }

  /** How the client saw its tunnels end. It can tell of its own registrations only. */
  #hear(fingerprint: string, disconnects: readonly ToldDisconnect[]): void {
    if (disconnects.length === 0) return;
    const own = new Set(this.#parts.routes.ofKey(fingerprint).map(({ id }) => id));
    for (const told of disconnects) {
      const ids = told.ids.filter((id) => own.has(id));
      if (ids.length > 0) this.#parts.disconnects.told(fingerprint, { ...told, ids });
    }
  }

  async #register(message: ClientMessage & { type: "register1" }, peer: BackchannelPeer): Promise<Registration> {
    if (peer.join === undefined) {
      throw new PetitError("join-needed", 'A registration is made on a connection of the user "join" only');
    }
    const { key: { line: key, fingerprint }, join: { hash: joinHash }, address } = peer;
    const { vitae, preferred, tenant } = message;
    return await this.make({ key, fingerprint, vitae, preferred, tenant, joinHash }, address);
  }

  /**
   * Makes a registration for whoever is allowed to, and tells of it.
   *
   * @param address of whoever asks for it
   * @throws PetitError `registration-closed`, or as `NewRegistrations.make`
   */
  async make(request: NewRegistration, address: string): Promise<Registration> {
    const { config, registrations } = this.#parts;
    // A reload may have changed it since the login.
    if (config.registration === "closed" || (config.registration === "join" && request.joinHash === null)) {
      throw new PetitError("registration-closed", "The server takes no registrations of this kind any more");
    }
    return await registrations.make(request, address);
  }

  /** What became of a request for a registration; where it is not the one asked for, with the reason. */
  #granted({ preferred }: ClientMessage & { type: "register1" }, registration: Registration): Registered {
    const registered = this.#registered(registration);
    if (preferred === null || preferred.id === registration.id) return registered;
    const taken = this.#parts.routes.byId(preferred.id) !== undefined;
    const notice = taken
      ? `Registration ${preferred.id} belongs to another key`
      : `Registration ${preferred.id} is not to be had`;
    return { ...registered, notice };
  }

  #registered({ id, port }: Registration): Registered {
    return {
      registeredId: id,
      registeredPort: port,
      endpoint: this.#parts.config.vitae.endpoint.replaceAll("REGID", id),
    };
  }
}

/** A later client may know messages that this server does not, and do without: it is told which of the two it is. */
function notUnderstood(raw: unknown): PetitError {
  const type = (raw as { type?: unknown } | null)?.type;
  return MESSAGE_TYPES.has(type) || typeof type !== "string"
    ? new PetitError("message-invalid", "The message lacks a part, or a part of it is wrong")
    : new PetitError("message-unknown", `This server (petit ${version}) does not know this type of message`);
}
