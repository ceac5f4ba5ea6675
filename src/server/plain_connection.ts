import type { Socket } from "node:net";
import { encodeMessage, MessageDecoder } from "../tunnel/message_stream.ts";
import { toldError } from "./own_fault.ts";

/** Messages that may wait for their answers; who sends more, or does not read the answers, is read no further for a while. */
const MAX_WAITING = 16;

/** For how long a peer is waited for, in milliseconds. */
export interface Patience {
  /** Silence of one that has proven nothing: 0.6.x connects first, and then makes its key, which takes an old machine long. */
  readonly unproven: number;
  /** Silence of one that has: clients of 0.6.x ping every 120 s. */
  readonly proven: number;
  /** From when there is nothing more to say until it has read all, whatever it does. */
  readonly ending: number;
}

const PATIENCE: Patience = { unproven: 120_000, proven: 600_000, ending: 10_000 };

/** What is spoken on a plain connection from its first message on. */
export interface PlainDialogue {
  /**
   * Takes one message, not yet checked; the next one comes when it is done.
   * @throws PetitError with the sentence that the peer is told; the connection goes on
   */
  take(message: unknown): Promise<void> | void;
  /** The connection is gone. */
  closed(): void;
}

/** What is told of a connection. */
export interface PlainEvents {
  /** What its first message begins. @throws PetitError which the peer is told, before its connection ends */
  onFirst(message: unknown): PlainDialogue;
  /** It said what is no message, in words, or nothing in all the time there is (`slow`); nothing was answered. */
  onForeign(what: string, slow: boolean): void;
  /** A message could not be answered by a fault of petit's own. */
  onFault(error: unknown): void;
}

/** One connection to the plain backchannel (message_stream.ts): messages come one after the other, and so do their answers. */
export class PlainConnection {
  /** IP address. */
  readonly address: string;
  /** The port that it comes from. */
  readonly port: number;
  readonly #socket: Socket;
  readonly #events: PlainEvents;
  readonly #decoder = new MessageDecoder();
  #dialogue: PlainDialogue | undefined;
  #begun = false;
  #queue = Promise.resolve();
  #waiting = 0;
  /** Something came that is no message: where the next one begins is not known. */
  #broken = false;
  #ending = false;
  readonly #patience: Patience;
  #silence: number;
  #heardAt = performance.now();
  #timer: NodeJS.Timeout;

  constructor(socket: Socket, address: string, events: PlainEvents, patience: Patience = PATIENCE) {
    this.#patience = patience;
    this.#silence = patience.unproven;
    this.#socket = socket;
    this.address = address;
    this.port = socket.remotePort ?? 0;
    this.#events = events;
    this.#timer = setTimeout(() => this.#silent(), this.#silence);
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.once("end", () => void this.#queue.then(() => socket.end()));
    socket.once("close", () => {
      clearTimeout(this.#timer);
      this.#dialogue?.closed();
    });
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  /** When it said something last, by `performance.now()`. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Says something; resolves when the peer has taken it, or is gone. */
  async say(message: object): Promise<void> {
    const socket = this.#socket;
    if (!socket.writable || socket.write(encodeMessage(message))) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off("drain", done).off("close", done);
        resolve();
      };
      socket.on("drain", done).on("close", done);
    });
  }

  /** It belongs to a client, which may be silent for longer. */
  proven(): void {
    this.#silence = this.#patience.proven;
    this.#heard();
  }

  /** Ends it when everything has been said. */
  finish(): void {
    this.#socket.end();
    // Its own end is still to be heard.
    this.#socket.resume();
    this.#endSoon();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** A peer that does not read is not waited for, nor one that goes on talking. */
  #endSoon(): void {
    if (this.#ending) return;
    this.#ending = true;
    clearTimeout(this.#timer);
    if (!this.#socket.destroyed) this.#timer = setTimeout(() => this.#socket.destroy(), this.#patience.ending);
  }

  #heard(): void {
    if (this.#ending) return;
    this.#heardAt = performance.now();
    clearTimeout(this.#timer);
    if (!this.#socket.destroyed) this.#timer = setTimeout(() => this.#silent(), this.#silence);
  }

  #silent(): void {
    if (!this.#begun) this.#events.onForeign("nothing", true);
    this.#socket.destroy();
  }

  #take(bytes: Buffer): void {
    if (this.#broken || !this.#socket.writable) return;
    if (!this.#begun) {
      const what = foreign(bytes);
      if (what !== undefined) {
        this.#events.onForeign(what, false);
        return void this.#socket.destroy();
      }
    }
    this.#begun = true;
    try {
      for (const message of this.#decoder.take(bytes)) {
        this.#waiting++;
        this.#queue = this.#queue.then(() => this.#answer(message));
      }
      if (this.#waiting > MAX_WAITING) this.#socket.pause();
    } catch (error) {
      this.#broken = true;
      this.#socket.pause();
      // What waits before it may wait for a peer that does not read.
      this.#endSoon();
      this.#queue = this.#queue.then(() => this.#refuse(error)).then(() => this.finish());
    }
  }

  async #answer(message: unknown): Promise<void> {
    this.#heard();
    try {
      if (this.#socket.writable) {
        this.#dialogue ??= this.#events.onFirst(message);
        await this.#dialogue.take(message);
      }
    } catch (error) {
      await this.#refuse(error);
      if (this.#dialogue === undefined) this.finish();
    }
    if (--this.#waiting === MAX_WAITING && !this.#broken) this.#socket.resume();
  }

  async #refuse(error: unknown): Promise<void> {
    const told = toldError(error);
    if (told.code === "internal") this.#events.onFault(error);
    await this.say({ type: "error", ...told });
  }
}

/** What begins otherwise than a message does, in words; undefined for what may be one. */
function foreign(bytes: Buffer): string | undefined {
  const text = bytes.toString("latin1", 0, 16);
  if (/^\s*(?:\{|$)/.test(text)) return undefined;
  if (/^[A-Z]{3,10} /.test(text)) return "HTTP";
  if (/^\x16\x03/.test(text)) return "TLS";
  return text.startsWith("SSH-") ? "SSH" : "another protocol";
}
