import type { Audit } from "../../audit/audit_event.ts";
import type { ServerConfig } from "../../config/schema.ts";
import { messageOf, PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import { version } from "../../platform/version.ts";
import type { Registration, Registry } from "../../registry/registry.ts";
import { LEGACY_VERSION, type LegacyClientMessage, legacyClientMessage } from "../../tunnel/legacy_messages.ts";
import { rememberVitae } from "../remember_vitae.ts";
import type { PlainPeer } from "../plain_backchannel.ts";
import type { PlainDialogue } from "../plain_connection.ts";
import type { Routes } from "../routes.ts";
import { isOwnFault, toldError } from "../own_fault.ts";
import { Challenge } from "./challenge.ts";
import type { LegacyClient, LegacyClients } from "./legacy_clients.ts";
import { legacyKey } from "./legacy_key.ts";
import type { LegacyRegistrar } from "./legacy_registrar.ts";

export interface LegacySessionParts {
  /** Read anew each time: a reload changes it. */
  readonly config: ServerConfig;
  readonly registry: Registry;
  readonly routes: Routes;
  readonly clients: LegacyClients;
  readonly registrar: LegacyRegistrar;
  readonly audit: Audit;
  readonly log: Log;
  readonly noise: OnceAMinute;
  /**
   * Frees the ports of a client that has come, where the system's sshd has them and may hold them still for an older connection.
   * @param leaves whether an older client has been told to go
   * @throws PetitError `port-held`
   */
  releasePorts(registrations: readonly Registration[], leaves: boolean): Promise<void>;
  /** Told of each client that has shaken hands. */
  onClient(): void;
}

/** Prompts and registrations that one connection may ask for: a client of 0.6.x asks for one on each. */
const MOST_ASKED = 20;

/** What a client has been asked to prove, and for what. */
interface Asked {
  readonly for: "handshake" | "unregister";
  readonly registrations: readonly Registration[];
  readonly challenge: Challenge;
}

/** One connection of a client of 0.6.x: its dialogues one after the other, each with a proof of its own. */
export class LegacySession implements PlainDialogue, LegacyClient {
  readonly #parts: LegacySessionParts;
  readonly #peer: PlainPeer;
  #asked: Asked | undefined;
  #registered: Registration | undefined;
  #count = 0;
  ids: readonly string[] = [];
  /** Fingerprint of the key that it has proven to hold, for these. */
  #key: string | undefined;

  constructor(parts: LegacySessionParts, peer: PlainPeer) {
    this.#parts = parts;
    this.#peer = peer;
  }

  get address(): string {
    return this.#peer.connection.address;
  }

  end(): void {
    this.#peer.connection.finish();
  }

  closed(): void {
    if (this.#key !== undefined) this.#parts.clients.left(this);
  }

  async take(raw: unknown): Promise<void> {
    try {
      const answer = await this.#answer(parse(raw));
      if (answer !== undefined) await this.#peer.connection.say(answer);
    } catch (error) {
      this.#peer.charge();
      this.#tellRefused(raw, error);
      if (this.#count <= MOST_ASKED) throw error;
      await this.#peer.connection.say({ type: "error", ...toldError(error) });
      this.end();
    }
  }

  async #answer(message: LegacyClientMessage): Promise<object | undefined> {
    const { config, registrar } = this.#parts;
    switch (message.type) {
      case "ping1":
        return { type: "didPing1" };
      case "check1":
        return { type: "didCheck1", patch: { update: false } };
      case "upgrade1":
        throw new PetitError("no-upgrade", "This server has no upgrade for clients of petit 0.6");
      case "register1": {
        // It costs a place in the registry and a sync of the disk.
        this.#peer.charge();
        this.#refuseMore();
        this.#registered = await registrar.register(message, this.address);
        const { id, port } = this.#registered;
        return { type: "didRegister1", registeredId: id, registeredPort: port };
      }
      case "register2":
        if (this.#registered !== undefined) registrar.confirmed(this.#registered);
        return undefined;
      case "handshake1": {
        if (this.#key !== undefined) {
          throw new PetitError("message-invalid", "This connection has shaken hands already");
        }
        const prompt = this.#ask("handshake", message.registeredId);
        // Which of them somebody has is nobody's business who has proven nothing; clients of 0.6.x do not look at it.
        return { type: "shakehand1", replacement: [], prompt };
      }
      case "handshake2": {
        const registrations = this.#proven("handshake", message.response);
        await this.#takePlace(registrations);
        const [first, ...others] = registrations.map(({ port }) => port);
        return {
          type: "shakehand2",
          bindPort: others.length === 0 ? first : [first, ...others],
          vitae: { ...config.vitae, ip: this.address, version },
        };
      }
      case "handshake3":
        if (this.#key === undefined) throw new PetitError("message-invalid", "The handshake has not begun");
        rememberVitae(this.#parts, this.#key, message.vitae, (error) => this.#tellUnwritten(error));
        this.#parts.onClient();
        return undefined;
      case "unregister1":
        return { type: "didUnregister1", prompt: this.#ask("unregister", message.registeredId) };
      case "unregister2":
        for (const registration of this.#proven("unregister", message.response)) this.#unregister(registration);
        return { type: "didUnregister2" };
      case "unregister3":
        return undefined;
    }
  }

  /** @throws PetitError `port-held`: an error here has a client of 0.6.x try again later, and a refusal by sshd has it give its registrations up */
  async #takePlace(registrations: readonly Registration[]): Promise<void> {
    const { clients } = this.#parts;
    const [{ fingerprint }] = registrations as [Registration];
    this.#key = fingerprint;
    this.ids = registrations.map(({ id }) => id);
    const leaves = clients.take(this);
    try {
      await this.#parts.releasePorts(registrations, leaves);
    } catch (error) {
      this.#key = undefined;
      clients.left(this);
      throw error;
    }
  }

  /** Each costs the server more than its peer, and strangers are counted by their connections. @throws PetitError `asked-too-often` */
  #refuseMore(): void {
    if (++this.#count <= MOST_ASKED) return;
    throw new PetitError("asked-too-often", `A client may ask for ${MOST_ASKED} things on one connection`);
  }

  /**
   * Asks for a proof of the key that the registrations have in common; whether they do is said to its holder only.
   *
   * @throws PetitError `registration-unknown`
   */
  #ask(what: Asked["for"], ids: readonly string[]): string {
    this.#refuseMore();
    this.#asked = undefined;
    const registrations = ids.map((id) => {
      const registration = this.#parts.routes.byId(id);
      if (registration?.legacy === true) return registration;
      throw new PetitError("registration-unknown", `This server has no registration "${id}" of a client of petit 0.6`);
    });
    const [first] = registrations as [Registration];
    if (new Set(ids).size < ids.length) {
      throw new PetitError("registration-twice", `Several tenants have the same registration (${ids.join(", ")})`);
    }
    const challenge = new Challenge(legacyKey(first.key));
    this.#asked = { for: what, registrations, challenge };
    return challenge.prompt;
  }

  /** @returns what has been asked about. @throws PetitError `identity-unproven` or `keys-differ` */
  #proven(what: Asked["for"], response: string): readonly Registration[] {
    const asked = this.#asked;
    // A prompt is good for one attempt.
    this.#asked = undefined;
    if (asked?.for !== what || !asked.challenge.isMetBy(response)) {
      throw new PetitError(
        "identity-unproven",
        "The response is not what the prompt holds: this client has another key",
      );
    }
    const [first] = asked.registrations as [Registration];
    if (asked.registrations.some(({ fingerprint }) => fingerprint !== first.fingerprint)) {
      const ids = asked.registrations.map(({ id }) => id).join(", ");
      throw new PetitError("keys-differ", `The registrations ${ids} belong to different keys`);
    }
    this.#peer.proven(first.fingerprint);
    // One may have been taken away meanwhile.
    return asked.registrations.map(({ id, fingerprint }) => {
      const registration = this.#parts.routes.byId(id);
      if (registration?.fingerprint === fingerprint) return registration;
      throw new PetitError("registration-unknown", `This server has no registration "${id}" any more`);
    });
  }

  #unregister({ id, port, fingerprint: key, brand }: Registration): void {
    const { registry, routes, log, audit } = this.#parts;
    registry.unregister(id);
    log.info({ id, port, key, brand, legacy: true }, `Unregistered ${id}, as its client asked`);
    audit.record("registration-removed", { id, port, key, address: this.address, by: "client" });
    routes.remove(id);
  }

  #tellUnwritten(error: unknown): void {
    const { log, noise } = this.#parts;
    noise.tell(
      "legacy-vitae",
      (repeated) =>
        log.error({ key: this.#key, repeated }, `What a client tells of itself could not be kept: ${messageOf(error)}`),
    );
  }

  /** Tells what was refused, once a minute for each address: clients of 0.6.x try again for ever. */
  #tellRefused(raw: unknown, error: unknown): void {
    const { audit, log, noise } = this.#parts;
    const { address } = this;
    // What holds a port is told of where that is found out.
    if (!(error instanceof PetitError) || error.code === "port-held") return;
    const { code, hint } = error;
    if (isOwnFault(error)) {
      noise.tell(
        "legacy-unwritten",
        (repeated) =>
          log.error({ code, hint, address, repeated }, `A client of petit 0.6 was refused: ${error.message}`),
      );
      return;
    }
    const type = (raw as { type?: unknown } | null)?.type;
    noise.tellOf(
      "legacy-refused",
      `${address} ${code}`,
      (repeated) => log.warn({ code, address, repeated }, `A client of petit 0.6 was refused: ${error.message}`),
    );
    const event = type === "register1"
      ? "registration-refused"
      : code === "identity-unproven"
      ? "login-refused"
      : code === "registration-unknown"
      ? "permission-refused"
      : undefined;
    if (event !== undefined) audit.recordOften(event, `${address} ${code}`, { address, code, why: error.message });
  }
}

/** @throws PetitError `message-invalid` or `version-refused` */
function parse(raw: unknown): LegacyClientMessage {
  const said = (raw as { handshakeVersion?: unknown } | null)?.handshakeVersion ?? LEGACY_VERSION;
  if (said !== LEGACY_VERSION) {
    throw new PetitError(
      "version-refused",
      `The client speaks another version of the backchannel than ${LEGACY_VERSION}, the only one that is spoken on this port`,
    );
  }
  const parsed = legacyClientMessage.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.path[0] === "registeredId") {
    throw new PetitError(
      "registration-unknown",
      'What the client gives as its ids are none: look at its files named "registration"',
    );
  }
  throw new PetitError("message-invalid", "The message has an unknown type or lacks a part");
}
