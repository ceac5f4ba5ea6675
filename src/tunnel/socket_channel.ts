import type { Socket } from "node:net";
import { resetConnection } from "../platform/reset.ts";
import type { ChannelUser } from "./channel.ts";
import type { DuplexChannel } from "./duplex_channel.ts";

const NOBODY: ChannelUser = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/**
 * A TCP connection in place of an SSH channel: what is told to whoever uses it, and when, is the same. The socket has to be half-open
 * (`allowHalfOpen`), and nothing may have been read of it.
 */
export class SocketChannel implements DuplexChannel {
  readonly incoming: { readonly id: number };
  bytesIn = 0;
  bytesOut = 0;
  destroyed = false;
  onFirst: (() => void) | undefined;
  readonly #socket: Socket;
  #user: ChannelUser = NOBODY;
  #attached = false;
  #paused = true;
  #peerEnded = false;
  /** It is gone, and whoever uses it has not been told yet. */
  #closed = false;

  /**
   * @param number for logs
   * @param onHeard told of all bytes that come, before whoever uses it
   */
  constructor(socket: Socket, number: number, onHeard: () => void = () => {}) {
    this.incoming = { id: number };
    this.#socket = socket;
    socket.pause();
    socket.on("data", (chunk: Buffer) => {
      if (this.bytesIn === 0) this.onFirst?.();
      this.bytesIn += chunk.length;
      onHeard();
      this.#user.onData(chunk);
    });
    socket.on("end", () => {
      this.#peerEnded = true;
      this.#user.onEnd();
    });
    socket.on("drain", () => this.#user.onDrain());
    // Whatever was wrong, "close" follows.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.destroyed = true;
      this.#closed = true;
      if (this.#attached) this.#tellClosed();
    });
  }

  get writable(): boolean {
    return this.#socket.writable && !this.destroyed;
  }

  get reusable(): boolean {
    return this.writable && !this.#peerEnded && this.#socket.readableLength === 0 && this.#socket.writableLength === 0;
  }

  attach(user: ChannelUser): void {
    this.#user = user;
    this.#attached = true;
    this.resume();
    if (this.#closed) this.#tellClosed();
  }

  detach(): void {
    this.#user = NOBODY;
  }

  write(chunk: Buffer): boolean {
    if (!this.writable || chunk.length === 0) return true;
    this.bytesOut += chunk.length;
    return this.#socket.write(chunk);
  }

  end(): void {
    if (this.writable) this.#socket.end();
  }

  finish(): void {
    this.#socket.destroySoon();
  }

  close(): void {
    if (!this.destroyed) resetConnection(this.#socket);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #tellClosed(): void {
    this.#closed = false;
    const user = this.#user;
    this.#user = NOBODY;
    user.onClose(!this.#peerEnded);
  }
}
