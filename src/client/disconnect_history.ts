import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import { OnceAMinute } from "../observe/once_a_minute.ts";
import { writeStateFile } from "../platform/state_file.ts";
import {
  CAUSES,
  DISCONNECT_CODES,
  type DisconnectCode,
  disconnectCode,
  MAX_CAUSE,
} from "../tunnel/disconnect_cause.ts";
import { DISCONNECTS_KEPT, type ToldDisconnect, toldDisconnect } from "../tunnel/messages.ts";
import type { ClientDisconnect } from "./client_status.ts";

/** Milliseconds that a change waits before it is written: a client that is just coming back does not wait for its disk. */
const WRITE_AFTER = 500;

/** Ids of one tunnel that are remembered, and characters of its server's name. */
const MAX_IDS = 64;
const MAX_SERVER = 512;

/** Bytes of JSON that the server is told at a time: half of what a message may have. */
const TOLD_AT_ONCE = 32 * 1024;

const remembered = toldDisconnect.extend({ server: z.string().max(MAX_SERVER), told: z.boolean() });
type Remembered = z.output<typeof remembered>;

const standing = remembered.pick({ tunnel: true, server: true, ids: true });

const historyFile = z.object({
  /** The tunnel that stood when this was written. A client that ends in order leaves none. */
  standing: standing.nullable(),
  /** The oldest first. */
  disconnects: z.array(remembered).transform((all) => all.slice(-DISCONNECTS_KEPT)),
});

/** What is remembered of a tunnel that stands. */
interface StandingTunnel {
  readonly id: string;
  readonly server: string;
  readonly ids: readonly string[];
}

/**
 * How this client's last tunnels ended, in the file `disconnects.json` of its folder, and what of that the server is still to be told. A
 * file that is damaged or cannot be written is no fault.
 */
export class DisconnectHistory {
  readonly #file: string;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #noise: OnceAMinute;
  readonly #counts = new Map<DisconnectCode, number>(DISCONNECT_CODES.map((code) => [code, 0]));
  #all: readonly Remembered[] = [];
  #standing: z.output<typeof standing> | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds since 1970 */
  constructor(folder: string, log: Log, now: () => number = Date.now) {
    this.#file = join(folder, "disconnects.json");
    this.#log = log;
    this.#now = now;
    this.#noise = new OnceAMinute();
    this.#read();
  }

  /** How many tunnels have ended since the start, by code. */
  get counts(): ReadonlyMap<DisconnectCode, number> {
    return this.#counts;
  }

  /** The newest first. */
  get all(): readonly ClientDisconnect[] {
    return this.#all.map((one) => ({ ...one, code: disconnectCode(one.cause) })).reverse();
  }

  /** A tunnel stands, and carries these. Should the client be killed, the next one knows by this that it ended. */
  began({ id: tunnel, server, ids }: StandingTunnel): void {
    this.#standing = { tunnel, server: server.slice(0, MAX_SERVER), ids: ids.slice(0, MAX_IDS) };
    this.#writeSoon();
  }

  /** It has ended. @param lasted milliseconds */
  ended({ id: tunnel, server, ids }: StandingTunnel, lasted: number, cause: string): void {
    const code = disconnectCode(cause);
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    // A tunnel that was drained carries nothing at its end.
    const carried = ids.length > 0 || this.#standing?.tunnel !== tunnel ? ids : this.#standing.ids;
    // The next one may stand already.
    if (this.#standing?.tunnel === tunnel) this.#standing = null;
    this.#add({
      tunnel,
      server: server.slice(0, MAX_SERVER),
      ids: carried.slice(0, MAX_IDS),
      // A clock that is wrong or was set back must not make a message of it that the server cannot take.
      at: Math.max(0, this.#now()),
      lasted: Math.max(0, lasted),
      cause: cause.slice(0, MAX_CAUSE),
      told: false,
    });
    this.#writeSoon();
  }

  /** What this server has not been told, the oldest first: as much as goes into one message. */
  untold(server: string): ToldDisconnect[] {
    const untold: ToldDisconnect[] = [];
    let size = 0;
    for (const one of [...this.#all].reverse()) {
      if (one.told || one.server !== server) continue;
      const { tunnel, at, lasted, ids, cause } = one;
      const told = { tunnel, at, lasted, ids, cause };
      size += Buffer.byteLength(JSON.stringify(told));
      if (size > TOLD_AT_ONCE) break;
      untold.unshift(told);
    }
    return untold;
  }

  /** The server knows these now. */
  told(disconnects: readonly ToldDisconnect[]): void {
    if (disconnects.length === 0) return;
    const tunnels = new Set(disconnects.map(({ tunnel }) => tunnel));
    this.#all = this.#all.map((one) => tunnels.has(one.tunnel) ? { ...one, told: true } : one);
    this.#writeSoon();
  }

  /** Writes what has changed; nothing is written later. */
  close(): void {
    if (this.#timer !== undefined) this.#write();
  }

  #add(one: Remembered): void {
    this.#all = [...this.#all, one].slice(-DISCONNECTS_KEPT);
  }

  #read(): void {
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch {
      return;
    }
    try {
      const read = historyFile.parse(JSON.parse(text));
      this.#all = read.disconnects;
      if (read.standing === null) return;
      this.#add({
        ...read.standing,
        at: Math.max(0, this.#now()),
        lasted: null,
        cause: CAUSES.clientKilled,
        told: false,
      });
      this.#writeSoon();
    } catch (error) {
      this.#log.warn(
        { code: "disconnects-damaged", file: this.#file },
        `The file "${this.#file}" is damaged, a new one begins: ${messageOf(error).slice(0, 200)}`,
      );
    }
  }

  #writeSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#write(), WRITE_AFTER);
    this.#timer.unref();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      writeStateFile(this.#file, `${JSON.stringify({ standing: this.#standing, disconnects: this.#all })}\n`);
    } catch (error) {
      this.#noise.tell("file", (repeated) =>
        this.#log.warn(
          { code: "disconnects-unwritable", file: this.#file, repeated },
          `Why the last tunnels ended is not written down: ${messageOf(error)}`,
        ));
    }
  }
}
