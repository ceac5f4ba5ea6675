import type { Log } from "../../observe/log.ts";
import type { LegacyVitae } from "../../tunnel/legacy_messages.ts";
import type { ClientVitae } from "../../tunnel/messages.ts";
import type { RsaKey } from "../../tunnel/rsa_key.ts";
import type { TenantRegistration } from "../state.ts";
import type { LegacyConnection } from "./legacy_connection.ts";
import { beginHandshake, finishHandshake, isRefusal, isRegisteredAt } from "./legacy_dialogues.ts";

export interface PresenceParts {
  /** @throws PetitError as `LegacyConnection.open` */
  open(): Promise<LegacyConnection>;
  readonly key: RsaKey;
  readonly log: Pick<Log, "info"> | undefined;
  /** Told when the server has closed a connection that stands for registrations. */
  onClosed(): void;
}

/** A connection that stands for some registrations of the client at its server, as long as it is open. */
interface Held {
  readonly connection: LegacyConnection;
  /** By id: the port that the registration's file said then, and the one that the server has told. */
  readonly ports: ReadonlyMap<string, { readonly own: number; readonly told: number }>;
}

/**
 * For which registrations a server of 0.6.x counts this client as connected. A handshake of one that is already would cut off its callers for a moment, and a
 * second one on the same connection would end that; so each registration that comes gets its turn on a new connection, and the others stay where they are.
 */
export class LegacyPresence {
  readonly #parts: PresenceParts;
  #held: Held[] = [];
  #vitae: LegacyVitae | undefined;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  /** What the server told of itself; undefined before the first handshake. */
  get vitae(): LegacyVitae | undefined {
    return this.#vitae;
  }

  has(id: string): boolean {
    return this.#held.some(({ ports }) => ports.has(id));
  }

  /**
   * Has the server send callers of all these registrations here.
   *
   * @returns the ports of those that it knows, by id
   * @throws PetitError as `beginHandshake`; with the server's words where it knows none of them
   */
  async announce(registrations: readonly TenantRegistration[], vitae: ClientVitae): Promise<Map<string, number>> {
    this.#leave(registrations);
    const missing = registrations.filter(({ id }) => !this.has(id));
    if (missing.length > 0) await this.#shake(missing, vitae);
    return new Map(registrations.flatMap(({ id, port }) => {
      const found = this.#held.map(({ ports }) => ports.get(id)).find((one) => one !== undefined);
      // A registration that was given back and made anew in the meantime has the port that it was given then.
      return found === undefined ? [] : [[id, found.own === port ? found.told : port]];
    }));
  }

  close(): void {
    const held = this.#held;
    this.#held = [];
    for (const { connection } of held) connection.close();
  }

  async #shake(missing: readonly TenantRegistration[], vitae: ClientVitae): Promise<void> {
    try {
      await this.#hold(missing, vitae);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // One that it does not know is enough for that.
      const known = await this.#known(missing);
      if (known.length > 0) await this.#hold(known, vitae);
      else if (this.#held.length === 0) throw error;
    }
  }

  async #hold(registrations: readonly TenantRegistration[], vitae: ClientVitae): Promise<void> {
    const connection = await this.#parts.open();
    try {
      const handshake = await beginHandshake(connection, this.#parts.key, registrations.map(({ id }) => id));
      finishHandshake(connection, vitae);
      this.#vitae = handshake.vitae;
      this.#tell(handshake.replaced);
      const ports = registrations.flatMap(({ id, port: own }) => {
        const told = handshake.ports.get(id);
        return told === undefined ? [] : [[id, { own, told }] as const];
      });
      const held = { connection, ports: new Map(ports) };
      this.#held.push(held);
      void connection.closed.then(() => this.#gone(held));
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async #known(registrations: readonly TenantRegistration[]): Promise<TenantRegistration[]> {
    const { open, key } = this.#parts;
    const known: TenantRegistration[] = [];
    for (const registration of registrations) {
      const connection = await open();
      try {
        if (await isRegisteredAt(connection, key, registration.id)) known.push(registration);
      } finally {
        connection.close();
      }
    }
    return known;
  }

  /** Lets go of connections that stand for nothing any more. */
  #leave(registrations: readonly TenantRegistration[]): void {
    const stays = ({ ports }: Held) => registrations.some(({ id }) => ports.has(id));
    const leaving = this.#held.filter((held) => !stays(held));
    this.#held = this.#held.filter(stays);
    for (const { connection } of leaving) connection.close();
  }

  #gone(held: Held): void {
    if (!this.#held.includes(held)) return;
    this.#held = this.#held.filter((one) => one !== held);
    this.#parts.onClosed();
  }

  #tell(replaced: readonly string[]): void {
    if (replaced.length === 0) return;
    this.#parts.log?.info(
      { ids: replaced, code: "replaced" },
      `The server counted ${
        replaced.join(", ")
      } as connected: a connection before this one, or another client with the same key, which this one takes over from`,
    );
  }
}
