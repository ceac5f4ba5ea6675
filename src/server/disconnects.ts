import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../observe/log.ts";
import { RecordFile } from "../observe/record_file.ts";
import { DISCONNECT_CODES, type DisconnectCode, disconnectCode } from "../tunnel/disconnect_cause.ts";
import { type Disconnect, type DisconnectFacts, together, withCodes } from "./disconnect.ts";
import { DisconnectStore } from "./disconnect_store.ts";
import { WaitingDisconnects } from "./waiting_disconnects.ts";

/** Disconnects remembered for each client. */
const KEPT_PER_KEY = 50;

/** Disconnects remembered altogether, at about 300 bytes each; what is older than these is asked of the log. */
const KEPT = 200_000;

/** Milliseconds that a disconnect waits for others before all are written; a killed server loses these. */
const WRITE_AFTER = 500;

/** Milliseconds until what could not be written is tried again. */
const RETRY_AFTER = 5000;

/** Milliseconds for which the event loop is held at a time, and for which it is left alone then. */
const SLICE = 1;
const PAUSE = 5;

/** Rows that are deleted at a time. */
const FORGET_AT_ONCE = 100;

export interface DisconnectsOptions {
  /** Path of the SQLite file. */
  readonly path: string;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** How many are kept; 200,000 by default. */
  readonly kept?: number;
}

/**
 * The last disconnects of each client, as both sides saw them, so that "why did it drop?" has an answer without a search in two logs. They
 * are remembered in memory and written a moment later in small slices; nothing that happens to their file disturbs a tunnel.
 */
export class Disconnects {
  readonly #file: RecordFile<DisconnectStore>;
  readonly #waiting = new WaitingDisconnects(KEPT_PER_KEY);
  readonly #counts = new Map<DisconnectCode, number>(DISCONNECT_CODES.map((code) => [code, 0]));
  readonly #now: () => number;
  readonly #kept: number;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #closing = false;

  constructor({ path, log, now = Date.now, kept = KEPT }: DisconnectsOptions) {
    this.#now = now;
    this.#kept = kept;
    this.#file = new RecordFile(
      path,
      {
        code: "disconnects",
        name: "The record of disconnects",
        meanwhile: "the last ones are in memory only",
        open: (file) => new DisconnectStore(file, KEPT_PER_KEY),
      },
      log,
      now,
    );
    // Made, or found to be damaged, before there are callers.
    this.#stored((store) => store.count, 0);
  }

  /** How many tunnels have ended since the start, by code. */
  get counts(): ReadonlyMap<DisconnectCode, number> {
    return this.#counts;
  }

  /** Why nothing can be written at the moment; null where all is well. */
  get fault(): string | null {
    return this.#file.fault;
  }

  /** The server has seen a tunnel end. @param key fingerprint of the client's key */
  add(
    key: string,
    seen: { tunnel: string; ids: readonly string[]; address: string; lasted: number; cause: string },
  ): void {
    const code = disconnectCode(seen.cause);
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    this.#add(key, { ...seen, at: this.#now(), clientAt: null, clientCause: null });
  }

  /** A client tells how it saw tunnels of its own key end. @param told without foreign ids */
  told(
    key: string,
    told: { tunnel: string; ids: readonly string[]; at: number; lasted: number | null; cause: string },
  ): void {
    const { tunnel, ids, lasted, at: clientAt, cause: clientCause } = told;
    this.#add(key, { at: this.#now(), tunnel, ids, lasted, address: null, cause: null, clientAt, clientCause });
  }

  #add(key: string, facts: DisconnectFacts): void {
    this.#waiting.add(key, facts);
    this.#writeAfter(WRITE_AFTER);
  }

  /** The last `limit` ones, the newest first. */
  latest(limit: number): Disconnect[] {
    const stored = this.#stored((store) => store.latest(limit), []);
    const fresh = new Map(
      this.#waiting.all.map((waiting) => [`${waiting.key} ${waiting.facts.tunnel}`, waiting.facts]),
    );
    const known = stored.flatMap(({ key, facts }) => {
      const name = `${key} ${facts.tunnel}`;
      const waiting = fresh.get(name);
      fresh.delete(name);
      return this.#known(key, facts, waiting);
    });
    return [...[...fresh.values()].reverse(), ...known].slice(0, limit).map(withCodes);
  }

  /** Those of one registration, the newest first. @param key fingerprint of its client's key */
  of(key: string, id: string): Disconnect[] {
    const fresh = new Map(this.#waiting.of(key).map((facts) => [facts.tunnel, facts]));
    const known = this.#stored((store) => store.of(key), []).flatMap((facts) => {
      const waiting = fresh.get(facts.tunnel);
      fresh.delete(facts.tunnel);
      return this.#known(key, facts, waiting);
    });
    return [...[...fresh.values()].reverse(), ...known].slice(0, KEPT_PER_KEY)
      .filter(({ ids }) => ids.includes(id)).map(withCodes);
  }

  /** What is stored, with what waits to be added to it and without what waits to be forgotten. */
  #known(key: string, stored: DisconnectFacts, waiting: DisconnectFacts | undefined): DisconnectFacts[] {
    const ids = stored.ids.filter((id) => !this.#waiting.isForgotten(key, id));
    if (ids.length === 0 && waiting === undefined) return [];
    const kept = { ...stored, ids };
    return [waiting === undefined ? kept : together(kept, waiting)];
  }

  /** Forgets a registration that is gone. @param key fingerprint of its client's key */
  forget(key: string, id: string): void {
    this.#waiting.forget(key, id);
    this.#writeAfter(WRITE_AFTER);
  }

  /** Writes what waits. Never rejects: what cannot be written goes on waiting. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().catch(() => {}).finally(() => {
      this.#writing = undefined;
      if (this.#waiting.any) this.#writeAfter(RETRY_AFTER);
    });
    return this.#writing;
  }

  /** Writes what waits, and ends. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.flush();
    // What came while the last but one was under way.
    await this.flush();
    this.#file.close();
  }

  #writeAfter(milliseconds: number): void {
    if (this.#closing || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.flush();
    }, milliseconds);
    this.#timer.unref();
  }

  #stored<T>(read: (store: DisconnectStore) => T, otherwise: T): T {
    try {
      return this.#file.use(read);
    } catch {
      // It has been logged. Memory knows the last ones.
      return otherwise;
    }
  }

  async #write(): Promise<void> {
    while (this.#waiting.any) {
      const until = performance.now() + SLICE;
      const late = () => performance.now() >= until;
      this.#waiting.written(this.#file.use((store) => this.#waiting.write(store, late)));
      if (this.#waiting.any) await this.#pause();
    }
    while (this.#file.use((store) => store.count) > this.#kept) {
      this.#file.use((store) => store.transaction(() => store.forgetOldest(FORGET_AT_ONCE)));
      await this.#pause();
    }
  }

  /** Leaves the event loop to callers for a while. */
  async #pause(): Promise<void> {
    if (this.#closing) await new Promise(setImmediate);
    else await sleep(PAUSE);
  }
}
