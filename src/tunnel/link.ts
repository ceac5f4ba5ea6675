import { Channel } from "./channel.ts";
import type { ConnectionInternals, LibraryChannel } from "./ssh_library.ts";
import type { Wire } from "./wire.ts";

/** Ties the channels of one SSH connection to the library that numbers them and the wire that carries them. */
export class Link {
  readonly wire: Wire;
  readonly #internals: ConnectionInternals;
  #waiting: (() => void)[] = [];
  #onViolation: (what: string) => void;

  /** @param connection the library's Client or Connection */
  constructor(connection: object, wire: Wire, onViolation: (what: string) => void) {
    this.#internals = connection as ConnectionInternals;
    this.wire = wire;
    this.#onViolation = onViolation;
    wire.on("drain", () => {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const call of waiting) call();
    });
  }

  /** Puts a Channel in the place of the library's stream. */
  adopt(stream: unknown): Channel {
    const { incoming, outgoing } = stream as LibraryChannel;
    const channel = new Channel(this, incoming, outgoing);
    this.#internals._chanMgr.update(incoming.id, channel);
    // On a connection that is gone already nobody would tell the channel.
    if (!this.wire.writable) queueMicrotask(() => channel.lost());
    return channel;
  }

  get congested(): boolean {
    return this.wire.congested;
  }

  onceDrained(call: () => void): void {
    this.#waiting.push(call);
  }

  sendData(recipient: number, data: Buffer): void {
    this.#internals._protocol.channelData(recipient, data);
  }

  sendWindowAdjust(recipient: number, bytes: number): void {
    this.#internals._protocol.channelWindowAdjust(recipient, bytes);
  }

  sendEof(recipient: number): void {
    this.#internals._protocol.channelEOF(recipient);
  }

  sendClose(recipient: number): void {
    this.#internals._protocol.channelClose(recipient);
  }

  /** Sends "keepalive@openssh.com", which every SSH implementation answers (RFC 4254, section 4). */
  ping(): void {
    // The client's library matches answers to questions by their order.
    this.#internals._callbacks?.push(() => {});
    this.#internals._protocol.ping();
  }

  violated(what: string): void {
    this.#onViolation(what);
    this.wire.destroy();
  }
}
