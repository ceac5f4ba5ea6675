import type { DuplexChannel } from "./duplex_channel.ts";
import { Pace, WindowSteps } from "./pace.ts";

/** Stand-in for a stderr stream, of which a forwarded connection has none. */
const NO_STDERR = { readable: false, writable: false, emit: () => false, once: () => NO_STDERR };

/** What the channel needs of the SSH connection that carries it. */
export interface ChannelLink {
  readonly congested: boolean;
  /** Whether the peer does its part of {@link Pace}. */
  readonly paced: boolean;
  /** Calls back once, when the link is no longer congested. */
  onceDrained(call: () => void): void;
  sendData(recipient: number, data: Buffer): void;
  sendWindowAdjust(recipient: number, bytes: number): void;
  sendEof(recipient: number): void;
  sendClose(recipient: number): void;
  /** The peer broke the protocol: end the whole connection. */
  violated(what: string): void;
}

/** One side of a channel: number, window in bytes, largest packet in bytes, state. */
export interface ChannelSide {
  id: number;
  window: number;
  packetSize: number;
  state: "open" | "eof" | "closing" | "closed";
}

/** Whoever uses a channel at the moment. */
export interface ChannelUser {
  /** Bytes from the peer, in order. */
  onData(chunk: Buffer): void;
  /** The peer will send no more; the other direction goes on. */
  onEnd(): void;
  /** `write` may go on after it returned false. */
  onDrain(): void;
  /** It was broken off while bytes wait here to be taken; `onClose` follows once they are. */
  onCut?(): void;
  /** The channel is gone. `aborted`: the peer had not finished sending. Called once, last. */
  onClose(aborted: boolean): void;
}

const NOBODY: ChannelUser = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** The window that the SSH library announces (its MAX_WINDOW). */
export const FULL_WINDOW = 2 * 1024 * 1024;

/** The largest packet of data in either direction, whatever else the peer allows (RFC 4253, section 6.1). */
export const LARGEST_PACKET = 32 * 1024;

/** The window is opened again when half of it has been used; to a petit, as {@link WindowSteps} say. */
const ADJUST_BELOW = FULL_WINDOW / 2;

/**
 * One stream inside a tunnel (RFC 4254, section 5), with half-close in both directions and back-pressure.
 *
 * The SSH library keeps its channels in a table and calls a small set of members on whatever stands there: `push`,
 * `close`, `emit`, `once`, `_chunkcb`, `_waitWindow`, `_waitChanDrain`, `_callbacks`. This class answers those calls in
 * place of the library's own stream, which closes both directions at the first end, never calls back a write on a closed channel, ignores
 * the socket's back-pressure, and costs two Node streams for each channel.
 */
export class Channel implements DuplexChannel {
  readonly incoming: ChannelSide;
  readonly outgoing: ChannelSide;
  /** Bytes received and sent, for logs and records. */
  bytesIn = 0;
  bytesOut = 0;
  /** Told of the first bytes that come. */
  onFirst: (() => void) | undefined;

  // Members that the SSH library reads or sets.
  readonly server = true;
  readonly stderr = NO_STDERR;
  readable = true;
  destroyed = false;
  _callbacks: ((failed: boolean) => void)[] = [];
  _waitWindow = false;
  _waitChanDrain = false;
  _chunk: undefined;
  readonly _chunkcb = (): void => this.#sendQueued();

  readonly #link: ChannelLink;
  #user: ChannelUser = NOBODY;
  #received: Buffer[] = [];
  #queued: Buffer[] = [];
  #paused = true;
  #attached = false;
  #ending = false;
  #finishing = false;
  #needDrain = false;
  #waitsForLink = false;
  #peerEnded: "no" | "eof" | "told" = "no";
  #closed: "no" | "closed" | "told" = "no";
  readonly #pace: Pace | undefined;
  readonly #steps: WindowSteps | undefined;

  constructor(link: ChannelLink, incoming: ChannelSide, outgoing: ChannelSide) {
    this.#link = link;
    this.incoming = incoming;
    this.outgoing = outgoing;
    if (!link.paced) return;
    this.#pace = new Pace(outgoing.window);
    this.#steps = new WindowSteps(FULL_WINDOW - ADJUST_BELOW);
  }

  /** True as long as bytes can be sent. */
  get writable(): boolean {
    return this.outgoing.state === "open" && !this.#ending && this.#closed === "no";
  }

  /** True when nothing was lost and nothing is under way: the channel may serve another request. */
  get reusable(): boolean {
    return this.writable && this.#peerEnded === "no" && this.#received.length === 0 && this.#queued.length === 0;
  }

  /** Hands the channel to `user` and lets bytes flow to it. */
  attach(user: ChannelUser): void {
    this.#user = user;
    this.#attached = true;
    this.resume();
  }

  detach(): void {
    this.#user = NOBODY;
  }

  /** Gives the channel back as if nobody had used it: whoever attaches next is told of `unread`, and of all that comes from here on. */
  release(unread: Buffer): void {
    this.#user = NOBODY;
    this.#attached = false;
    this.#paused = true;
    if (unread.length > 0) this.#received.unshift(unread);
    if (this.#peerEnded === "told") this.#peerEnded = "eof";
  }

  /** Sends `chunk`; false asks the caller to wait for `onDrain`. Bytes for a closed channel are dropped. */
  write(chunk: Buffer): boolean {
    if (!this.writable || chunk.length === 0) return true;
    if (this.#queued.length > 0) {
      this.#queued.push(chunk);
    } else {
      const rest = this.#send(chunk);
      if (rest !== undefined) {
        this.#queued.push(rest);
        this._waitWindow = true;
      }
    }
    if (this.#queued.length === 0 && !this.#link.congested) return true;
    this.#needDrain = true;
    if (this.#queued.length === 0) this.#waitForLink();
    return false;
  }

  /** Ends this direction once everything written has been sent; the other direction goes on. */
  end(): void {
    if (!this.writable) return;
    this.#ending = true;
    if (this.#queued.length === 0) this.#sendEof();
  }

  /** Ends this direction as `end` does, and then the channel. */
  finish(): void {
    this.#finishing = true;
    if (this.writable) this.end();
    else if (this.#queued.length === 0) this.close();
  }

  /** Ends both directions at once. Also called by the SSH library to answer the peer's close. */
  close(): void {
    this.#queued = [];
    if (this.outgoing.state === "open" || this.outgoing.state === "eof") {
      this.outgoing.state = "closing";
      this.#link.sendClose(this.outgoing.id);
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  /** Called by the SSH library: bytes from the peer, or null for the end of them. Never asks for library's flow control. */
  push(chunk: Buffer | null): false {
    if (chunk === null) {
      this.readable = false;
      if (this.#peerEnded === "no" && this.incoming.state === "eof") this.#peerEnded = "eof";
      this.#deliver();
      return false;
    }
    if (this.incoming.window < 0) {
      this.#link.violated("sent more than the channel's window allows");
      return false;
    }
    if (this.bytesIn === 0) this.onFirst?.();
    this.bytesIn += chunk.length;
    if (this.#paused || this.#received.length > 0) {
      this.#received.push(chunk);
      return false;
    }
    this.#user.onData(chunk);
    this.#openWindow();
    return false;
  }

  /** Called by the SSH library when the channel is gone, cleanly or with its connection. */
  emit(event: string): boolean {
    if (event === "close" && this.#closed === "no") {
      this.#closed = "closed";
      this.#queued = [];
      this.destroyed = true;
      if (this.#received.length > 0 && this.#peerEnded === "no") this.#user.onCut?.();
      this.#deliver();
    }
    return true;
  }

  once(): this {
    return this;
  }

  /** Ends the channel of a connection that is gone. */
  lost(): void {
    this.incoming.state = this.outgoing.state = "closed";
    this.push(null);
    this.emit("close");
  }

  #deliver(): void {
    while (!this.#paused && this.#received.length > 0) this.#user.onData(this.#received.shift() as Buffer);
    this.#openWindow();
    // What comes before anybody uses the channel is told to its first user.
    if (this.#received.length > 0 || !this.#attached) return;
    if (this.#peerEnded === "eof") {
      this.#peerEnded = "told";
      this.#user.onEnd();
    }
    if (this.#closed === "closed") {
      this.#closed = "told";
      this.#user.onClose(this.#peerEnded === "no");
      this.#user = NOBODY;
    }
  }

  /** Lets the peer send again. Nothing is given back while bytes wait here: that bounds memory to one window. */
  #openWindow(): void {
    // After its CLOSE the peer may not hear of the channel again.
    if (this.#received.length > 0 || this.outgoing.state === "closing" || this.outgoing.state === "closed") return;
    if (this.#closed !== "no" || this.#peerEnded !== "no") return;
    const used = FULL_WINDOW - this.incoming.window;
    const due = this.#steps === undefined ? this.incoming.window <= ADJUST_BELOW : this.#steps.isDue(used);
    if (!due) return;
    this.incoming.window = FULL_WINDOW;
    this.#link.sendWindowAdjust(this.outgoing.id, used);
  }

  /** Sends what the peer's window allows and returns what is left. */
  #send(chunk: Buffer): Buffer | undefined {
    const { id } = this.outgoing;
    const packetSize = Math.min(this.outgoing.packetSize, LARGEST_PACKET);
    // Such a channel ends its connection; until it is gone, an answer in packets of nothing would never come to an end.
    if (packetSize < 1) return chunk;
    const { window } = this.outgoing;
    const room = this.#pace === undefined ? window : this.#pace.room(window);
    let offset = 0;
    while (offset < chunk.length && offset < room) {
      const size = Math.min(chunk.length - offset, room - offset, packetSize);
      this.#link.sendData(id, size === chunk.length ? chunk : chunk.subarray(offset, offset + size));
      offset += size;
    }
    this.outgoing.window = window - offset;
    if (offset > 0) this.#pace?.sent(window - offset);
    this.bytesOut += offset;
    return offset < chunk.length ? chunk.subarray(offset) : undefined;
  }

  #sendQueued(): void {
    while (this.#queued.length > 0) {
      const chunk = this.#queued[0] as Buffer;
      const rest = this.#send(chunk);
      if (rest !== undefined) {
        this.#queued[0] = rest;
        this._waitWindow = true;
        return;
      }
      this.#queued.shift();
    }
    if (this.#ending) this.#sendEof();
    else if (this.#link.congested) this.#waitForLink();
    else this.#drained();
  }

  #waitForLink(): void {
    if (this.#waitsForLink) return;
    this.#waitsForLink = true;
    this.#link.onceDrained(() => {
      this.#waitsForLink = false;
      if (this.#queued.length === 0) this.#drained();
    });
  }

  #drained(): void {
    if (!this.#needDrain) return;
    this.#needDrain = false;
    this.#user.onDrain();
  }

  #sendEof(): void {
    if (this.outgoing.state !== "open") return;
    this.outgoing.state = "eof";
    this.#link.sendEof(this.outgoing.id);
    if (this.#finishing) this.close();
  }
}
