import { Channel, type ChannelLink, type ChannelUser, FULL_WINDOW, LARGEST_PACKET } from "../../src/tunnel/channel.ts";

/** What a channel sent, in order. */
export type Sent =
  | { kind: "data"; text: string }
  | { kind: "adjust"; bytes: number }
  | { kind: "eof" }
  | { kind: "close" };

/** The connection under one channel, in memory: keeps what the channel sends, and plays the peer and the library. */
export class MemoryLink implements ChannelLink {
  congested = false;
  readonly paced: boolean;
  readonly sent: Sent[] = [];
  readonly violations: string[] = [];
  readonly channel: Channel;
  #waiting: (() => void)[] = [];
  /** Called for everything that is sent. */
  onSent: (sent: Sent) => void = () => {};

  /** @param peer the window that the peer grants and the largest packet that it takes, in bytes */
  constructor(peer: { window?: number; packetSize?: number; paced?: boolean } = {}) {
    this.paced = peer.paced === true;
    this.channel = new Channel(
      this,
      { id: 1, window: FULL_WINDOW, packetSize: LARGEST_PACKET, state: "open" },
      { id: 7, window: peer.window ?? FULL_WINDOW, packetSize: peer.packetSize ?? LARGEST_PACKET, state: "open" },
    );
  }

  /** All data that was sent, as one text. */
  get data(): string {
    return this.sent.map((sent) => sent.kind === "data" ? sent.text : "").join("");
  }

  /** What was sent beside data. */
  get signs(): string[] {
    return this.sent.filter(({ kind }) => kind !== "data").map(({ kind }) => kind);
  }

  /** The kinds of everything that was sent. */
  get kinds(): string[] {
    return this.sent.map(({ kind }) => kind);
  }

  onceDrained(call: () => void): void {
    this.#waiting.push(call);
  }

  sendData(recipient: number, data: Buffer): void {
    this.#send(recipient, { kind: "data", text: data.toString("latin1") });
  }

  sendWindowAdjust(recipient: number, bytes: number): void {
    this.#send(recipient, { kind: "adjust", bytes });
  }

  sendEof(recipient: number): void {
    this.#send(recipient, { kind: "eof" });
  }

  sendClose(recipient: number): void {
    this.#send(recipient, { kind: "close" });
  }

  violated(what: string): void {
    this.violations.push(what);
  }

  #send(recipient: number, sent: Sent): void {
    if (recipient !== this.channel.outgoing.id) throw new Error(`Sent to channel ${recipient}`);
    this.sent.push(sent);
    this.onSent(sent);
  }

  /** The link has room again. */
  drain(): void {
    this.congested = false;
    for (const call of this.#waiting.splice(0)) call();
  }

  /** Data from the peer. */
  receive(data: string | Buffer): void {
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.channel.incoming.window -= bytes.length;
    this.channel.push(bytes);
  }

  /** The peer grants more window. */
  receiveAdjust(bytes: number): void {
    const { channel } = this;
    channel.outgoing.window += bytes;
    if (!channel._waitWindow) return;
    channel._waitWindow = false;
    channel._chunkcb();
  }

  /** The peer will send no more. */
  receiveEof(): void {
    const { channel } = this;
    if (channel.incoming.state !== "open") return;
    channel.incoming.state = "eof";
    if (channel.readable) channel.push(null);
  }

  /** The peer closes the channel, or answers its close. */
  receiveClose(): void {
    const { channel } = this;
    if (channel.incoming.state === "closed") return;
    channel.incoming.state = "closed";
    if (channel.readable) channel.push(null);
    if (channel.outgoing.state === "open" || channel.outgoing.state === "eof") channel.close();
    if (channel.outgoing.state === "closing") channel.outgoing.state = "closed";
    channel.emit("close");
  }
}

/** A user of a channel that keeps what it is told: "data x", "end", "drain", "close" or "close aborted". */
export class Recorder implements ChannelUser {
  readonly told: string[] = [];
  received = "";

  onData(chunk: Buffer): void {
    this.received += chunk.toString("latin1");
    this.told.push("data");
  }

  onEnd(): void {
    this.told.push("end");
  }

  onDrain(): void {
    this.told.push("drain");
  }

  onClose(aborted: boolean): void {
    this.told.push(aborted ? "close aborted" : "close");
  }
}
