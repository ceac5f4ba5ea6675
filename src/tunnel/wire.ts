import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { countForwarded } from "../platform/memory.ts";

/** Bytes gathered before a write is not put off any longer. */
const GATHER_LIMIT = 256 * 1024;

/** Room for what is gathered and one packet more, the last of them. */
const GATHER_ROOM = GATHER_LIMIT + 64 * 1024;

/** Below this many bytes a buffer of their own costs less than it is worth to do without. */
const GATHER_IN_ROOM_FROM = 32 * 1024;

/** How many of the first bytes are remembered. */
const GREETING = 64;

/** Longest line that identifies a peer, and more (RFC 4253, section 4.2). */
const MAX_IDENTIFICATION = 256;

/** Milliseconds that the peer has to close its side of a stream that was ended here. */
const CLOSE_WITHIN = 3000;

/** Unsent bytes above which channels are told to wait (see {@link Wire.congested}). */
const CONGESTED_ABOVE = 1024 * 1024;

/** The buffer in which all wires gather large writes, one after the other. */
let gathering: Buffer | undefined;

/** All pieces in one buffer, which lasts until the next call unless `gathering` is given up. */
function gathered(pieces: Buffer[], size: number): Buffer {
  if (size < GATHER_IN_ROOM_FROM || size > GATHER_ROOM) return Buffer.concat(pieces, size);
  gathering ??= Buffer.allocUnsafeSlow(GATHER_ROOM);
  let at = 0;
  for (const piece of pieces) {
    gathering.set(piece, at);
    at += piece.length;
  }
  return gathering.subarray(0, size);
}

/**
 * The byte stream under one SSH connection, as the SSH library wants to see it.
 *
 * The library writes an SSH packet in three or four pieces and never looks at what `write` returns. A system call
 * for each piece costs more than the encryption does, so everything written in one turn of the event loop, by all
 * channels, leaves as one buffer; and what the socket has not taken yet is counted, so that channels can wait.
 *
 * Emits what the library listens for: `data`, `end`, `close`, `error`; and `drain` once the backlog is gone.
 */
export class Wire extends EventEmitter {
  /** False once either side has ended the stream; the library asks before each write. */
  writable = true;
  readonly connecting = false;
  /** The library asks for `_readableState.ended` (a workaround of its own for nodejs/node#36029). */
  readonly _readableState = { ended: false };
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly remoteFamily: string | undefined;
  /** When bytes last arrived, in milliseconds of `performance.now()`. */
  lastReceived = performance.now();
  /** When bytes were last sent. */
  lastSent = performance.now();
  bytesIn = 0;
  bytesOut = 0;
  #outWhenReceived = 0;
  #alarm: { readonly at: number; readonly call: () => void } | undefined;
  /** The line that identifies the peer, as far as it has come; undefined when it has been passed on. */
  #identification: Buffer | undefined = Buffer.alloc(0);

  /** The first bytes received, latin1: what the peer is. */
  greeting = "";

  readonly #socket: Socket;
  #reading = false;
  #pieces: Buffer[] = [];
  #size = 0;
  #scheduled = false;
  #ending = false;

  constructor(socket: Socket) {
    super();
    this.setMaxListeners(0);
    this.#socket = socket;
    this.remoteAddress = socket.remoteAddress;
    this.remotePort = socket.remotePort;
    this.remoteFamily = socket.remoteFamily;
    // Nagle's algorithm with delayed acknowledgements costs 40 ms and more for each request.
    socket.setNoDelay(true);
    // The library listens a moment later; what came before would be lost, and the login with it.
    this.on("newListener", (event) => {
      if (event === "data" && this.listenerCount("data") === 0) queueMicrotask(() => this.#read());
    });
    socket.on("end", () => {
      this.#passOn(Buffer.alloc(0), true);
      this._readableState.ended = true;
      this.emit("end");
      this.end();
    });
    socket.on("error", (error: Error) => this.emit("error", error));
    socket.on("drain", () => this.emit("drain"));
    socket.on("close", () => {
      this.writable = false;
      this.#pieces = [];
      this.#size = 0;
      this.emit("close");
    });
  }

  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#socket.on("data", (chunk: Buffer) => {
      this.lastReceived = performance.now();
      this.bytesIn += chunk.length;
      this.#outWhenReceived = this.bytesOut;
      countForwarded(chunk.length);
      if (this.greeting.length < GREETING) this.greeting += chunk.toString("latin1", 0, GREETING);
      // Behind its own end the library would go on with what it has found wrong.
      if (!this.#ending) this.#passOn(chunk, false);
      this.#lookAtVolume();
    });
  }

  /** Has `call` called once when so many bytes have come and gone, at the end of the turn in which they do; replaces the alarm before. */
  alarmAt(volume: number, call: () => void): void {
    this.#alarm = { at: volume, call };
  }

  #lookAtVolume(): void {
    if (this.#alarm === undefined || this.bytesIn + this.bytesOut < this.#alarm.at) return;
    const { call } = this.#alarm;
    this.#alarm = undefined;
    // Not in the middle of a packet that is being written.
    queueMicrotask(() => this.writable && call());
  }

  /** The library loses bytes of the first line where it comes in three pieces or more: it gets it whole. */
  #passOn(chunk: Buffer, all: boolean): void {
    const before = this.#identification;
    if (before !== undefined) {
      const line = before.length === 0 ? chunk : Buffer.concat([before, chunk]);
      const isWhole = all || line.length > MAX_IDENTIFICATION || line.includes(0x0a);
      this.#identification = isWhole ? undefined : Buffer.from(line);
      if (!isWhole) return;
      chunk = line;
    }
    if (chunk.length > 0) this.emit("data", chunk);
  }

  /** Bytes sent since some were received last. */
  get unanswered(): number {
    return this.bytesOut - this.#outWhenReceived;
  }

  get destroyed(): boolean {
    return this.#socket.destroyed;
  }

  /** The address of this end; undefined once the socket is gone. */
  get localAddress(): string | undefined {
    return this.#socket.localAddress;
  }

  get readable(): boolean {
    return this.#socket.readable;
  }

  /** Bytes accepted by `write` that the operating system has not taken yet. */
  get backlog(): number {
    return this.#size + this.#socket.writableLength;
  }

  /** Whether whoever fills this wire should wait for `drain`. */
  get congested(): boolean {
    return this.backlog > CONGESTED_ABOVE;
  }

  write(piece: Buffer): boolean {
    if (!this.writable) return false;
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size >= GATHER_LIMIT) this.#flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#onTurn);
    }
    return true;
  }

  readonly #onTurn = (): void => {
    this.#scheduled = false;
    this.#flush();
  };

  #flush(): void {
    const pieces = this.#pieces;
    if (pieces.length > 0 && !this.#socket.destroyed) {
      const all = pieces.length === 1 ? pieces[0] as Buffer : gathered(pieces, this.#size);
      this.bytesOut += all.length;
      this.lastSent = performance.now();
      countForwarded(all.length);
      this.#lookAtVolume();
      this.#pieces = [];
      this.#size = 0;
      this.#socket.write(all);
      // The socket holds on to what the operating system has not taken.
      if (all.buffer === gathering?.buffer && this.#socket.writableLength > 0) gathering = undefined;
    }
    if (this.#ending) this.#socket.end();
  }

  pause(): this {
    this.#socket.pause();
    return this;
  }

  resume(): this {
    this.#socket.resume();
    return this;
  }

  end(): this {
    if (this.writable) {
      this.writable = false;
      this.#ending = true;
      this.#flush();
      // A peer that does not close its side, or cannot be reached any more, is not waited for.
      const timer = setTimeout(() => this.#socket.destroy(), CLOSE_WITHIN);
      this.#socket.once("close", () => clearTimeout(timer));
    }
    return this;
  }

  /** Hands over at once what has been gathered. */
  sendNow(): void {
    this.#flush();
  }

  destroy(): this {
    this.writable = false;
    this.#socket.destroy();
    return this;
  }

  setNoDelay(): this {
    return this;
  }
}
