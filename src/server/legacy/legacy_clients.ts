import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import { CAUSES } from "../../tunnel/disconnect_cause.ts";
import type { Tunnels } from "../tunnels.ts";

/** A client of 0.6.x that has proven its key, as long as its handshake connection is open. */
export interface LegacyClient {
  readonly address: string;
  /** Of its registrations. */
  readonly ids: readonly string[];
  /** Ends its connection, and with it its tunnels: the client sees to that itself. */
  end(): void;
}

export interface LegacyClientsParts {
  readonly tunnels: Tunnels;
  readonly log: Log;
  readonly noise: OnceAMinute;
}

/** Milliseconds between two looks at whether a client is busy. */
const LOOK_EVERY = 50;

/** Milliseconds for a client to end its tunnels when its handshake connection has ended. */
const LEAVES_WITHIN = 1000;

/** Which clients of 0.6.x are connected, by their registrations. The port belongs to the key: who says it last, has it. */
export class LegacyClients {
  readonly #parts: LegacyClientsParts;
  readonly #byId = new Map<string, LegacyClient>();

  constructor(parts: LegacyClientsParts) {
    this.#parts = parts;
  }

  /** How many registrations they hold. */
  get size(): number {
    return this.#byId.size;
  }

  /** A client has come. Whoever had any of the same registrations has to go. @returns whether somebody had */
  take(client: LegacyClient): boolean {
    const { log, noise } = this.#parts;
    const older = new Map<LegacyClient, string[]>();
    for (const id of client.ids) {
      const before = this.#byId.get(id);
      this.#byId.set(id, client);
      if (before !== undefined && before !== client) older.set(before, [...older.get(before) ?? [], id]);
    }
    for (const [before, lost] of older) {
      noise.tell(`legacy-taken-over ${lost[0]}`, (repeated) =>
        log.warn(
          { code: "taken-over", ids: lost, address: client.address, formerAddress: before.address, repeated },
          `${
            lost.join(", ")
          }: a client at ${client.address} took over from the one at ${before.address}, which has the same key and is disconnected`,
        ));
      this.#end(before, CAUSES.takenOver);
    }
    return older.size > 0;
  }

  /** Has a client end its tunnels. @param why for the record of what the server saw */
  #end(client: LegacyClient, why: string): void {
    for (const id of client.ids) {
      const served = this.#parts.tunnels.of(id);
      if (served?.clientAddress === client.address && served.opensBlindly) served.connection.foresee(why);
    }
    client.end();
  }

  /** The handshake connection of a client is gone: it counts as disconnected, with all that it has left. */
  left(client: LegacyClient): void {
    for (const id of client.ids) if (this.#byId.get(id) === client) this.#byId.delete(id);
    const now = Date.now();
    setTimeout(() => {
      for (const id of client.ids) {
        const served = this.#parts.tunnels.of(id);
        if (served === undefined || served.since > now || served.clientAddress !== client.address) continue;
        // Another program that uses the same key has a life of its own.
        if (!served.opensBlindly) continue;
        served.connection.end("the backchannel of its client ended");
      }
    }, LEAVES_WITHIN).unref();
  }

  /**
   * Ends them all, each when nothing is in progress in its tunnels: they come back to a successor, and take no second tunnel before they have
   * ended the first.
   *
   * @param within milliseconds after which what is in progress is not waited for any more
   */
  async leave(within: number): Promise<void> {
    const until = performance.now() + within;
    for (;;) {
      const over = performance.now() >= until;
      for (const client of new Set(this.#byId.values())) {
        if (over || !this.#isBusy(client)) this.#end(client, CAUSES.serverRestarted);
      }
      if (over || this.#byId.size === 0) return;
      await sleep(LOOK_EVERY);
    }
  }

  #isBusy(client: LegacyClient): boolean {
    for (const [id, holder] of this.#byId) {
      const served = holder === client ? this.#parts.tunnels.of(id) : undefined;
      if (served !== undefined && served.connection.link.channels > served.pool.size) return true;
    }
    return false;
  }
}
