import { createHash } from "node:crypto";
import { type LibraryCipher, type LibraryDecipher, Opener, Sealer } from "./aes_gcm.ts";
import { Channel, type ChannelLink, type ChannelSide, FULL_WINDOW, LARGEST_PACKET } from "./channel.ts";
import { BY_APPLICATION, PROTOCOL_ERROR } from "./disconnect_cause.ts";
import { CONNECT_FAILED, PROHIBITED } from "./open_failure.ts";
import { isLegacyPetit, isPetit } from "./petit_peer.ts";
import type { ConnectionInternals, OpenRequest } from "./ssh_library.ts";
import { sshString, uint32 } from "./ssh_strings.ts";
import type { Wire } from "./wire.ts";

/** A request of the peer to open a channel, such as a session. */
export interface IncomingChannel {
  /** The number under which the peer knows it. */
  readonly number: number;
  /** @param over what carries the channel, in place of the link itself */
  accept(over?: ChannelLink): Channel;
  /** Refuses it, since what it is for cannot be reached; the peer is told `reason`. */
  refuse(reason: string): void;
  /** Refuses it, since it is not allowed; the peer is told `why`. */
  prohibit(why: string): void;
}

/** A request to open one that carries a TCP connection (RFC 4254, section 7.2). */
export interface IncomingOpen extends IncomingChannel {
  /** The address and port that it is for. */
  readonly address: string;
  readonly port: number;
  /** Where the connection comes from. */
  readonly originAddress: string;
  readonly originPort: number;
}

type Opens = { "session": IncomingChannel; "direct-tcpip": IncomingOpen; "forwarded-tcpip": IncomingOpen };

/** SSH_MSG_DISCONNECT and SSH_MSG_DEBUG (RFC 4253, sections 11.1 and 11.3). */
const DISCONNECT = 1;
const DEBUG = 4;
const ALWAYS_DISPLAY = Buffer.from([1]);
/** More than a peer has to ask for in the time that a full socket takes to empty: it waits for answers itself. */
const MOST_UNANSWERABLE = 4096;

/** SSH_MSG_EXT_INFO with one extension (RFC 8308, section 2.3). */
const EXT_INFO = 7;
const ONE = uint32(1);

/** Ties the channels of one SSH connection to the library that numbers them and the wire that carries them. */
export class Link {
  readonly wire: Wire;
  /**
   * When the peer last answered a question, in milliseconds of `performance.now()`: something went there and back. Bytes that come show
   * the one direction only.
   */
  answered = -Infinity;
  /** When the first ping was sent that has not been answered. Older than `answered` where all were. */
  asked = -Infinity;
  /** When the last ping was sent. */
  pinged = -Infinity;
  readonly #internals: ConnectionInternals;
  readonly #onViolation: (what: string) => void;
  /** Told of each exchange of keys but the first (rekey.ts). */
  onExchanged = (): void => {};
  #waiting: (() => void)[] = [];
  /** What the peer asked for while it could be told nothing. */
  #unanswerable = 0;
  #signatures: readonly string[] | undefined;
  #sealer: Sealer | undefined;
  #tunnelId: string | undefined;
  /** The peer has announced the end: nothing may be sent any more (RFC 4253, section 11.1). */
  #disconnected = false;

  /**
   * @param connection the library's Client or Connection
   * @param onDisconnect told when the peer announces the end, before anything comes of it
   */
  constructor(
    connection: object,
    wire: Wire,
    onViolation: (what: string) => void,
    onDisconnect: (reason: number, description: string) => void,
  ) {
    this.#internals = connection as ConnectionInternals;
    this.wire = wire;
    this.#onViolation = onViolation;
    wire.on("drain", () => this.#goOn());
    this.#useOwnCiphers();
    this.#noteExchanges();
    this.#boundAnswers();
    const handlers = this.#internals._protocol._handlers;
    const { DISCONNECT: library } = handlers;
    handlers.DISCONNECT = (self, reason, description) => {
      this.#disconnected = true;
      onDisconnect(reason, description);
      library(self, reason, description);
    };
    this.#noteAnswers();
    this.#internals._protocol._handlers.CHANNEL_OPEN_CONFIRMATION = (_, confirmation) => {
      this.answered = performance.now();
      const opened = this.#internals._chanMgr.get(confirmation.recipient);
      if (typeof opened !== "function") return;
      const { sender: id, window, packetSize } = confirmation;
      opened(undefined, this.#channel(confirmation.recipient, { id, window, packetSize, state: "open" }));
    };
  }

  /**
   * Has `onOpen` decide about the channels of one type that the peer asks for. All other types stay with the library, which
   * refuses what nobody asked it to accept.
   *
   * @param onOther told of those
   */
  acceptOpens<Type extends keyof Opens>(
    type: Type,
    onOpen: (open: Opens[Type]) => void,
    onOther: (type: string) => void = () => {},
  ): void {
    const { _chanMgr: numbers, _protocol: protocol } = this.#internals;
    const others = protocol._handlers.CHANNEL_OPEN;
    protocol._handlers.CHANNEL_OPEN = (self, request) => {
      if (request.type !== type) {
        onOther(request.type);
        return others(self, request);
      }
      if (!this.#isAnswerable()) return;
      const { sender, window, packetSize, data } = request as OpenRequest;
      onOpen({
        address: data.destIP,
        port: data.destPort,
        originAddress: data.srcIP,
        originPort: data.srcPort,
        number: sender,
        accept: (over) => {
          const id = numbers.add();
          const channel = this.#channel(id, { id: sender, window, packetSize, state: "open" }, over);
          if (this.wire.writable) protocol.channelOpenConfirm(sender, id, FULL_WINDOW, LARGEST_PACKET);
          // On a connection that is gone already nobody would tell the channel.
          else queueMicrotask(() => channel.lost());
          return channel;
        },
        refuse: (reason) => {
          if (this.wire.writable) protocol.channelOpenFail(sender, CONNECT_FAILED, reason);
        },
        prohibit: (why) => {
          if (this.wire.writable) protocol.channelOpenFail(sender, PROHIBITED, why);
        },
      });
    };
  }

  /**
   * Server: has `onRequest` answer the requests in channels. The library refuses those that it leaves alone.
   *
   * @param onRequest whether it has answered, or will
   */
  takeChannelRequests(
    onRequest: (recipient: number, type: string, wantReply: boolean, data: unknown) => boolean,
  ): void {
    const handlers = this.#internals._protocol._handlers;
    const library = handlers.CHANNEL_REQUEST;
    handlers.CHANNEL_REQUEST = (self, recipient, type, wantReply, data) => {
      if (!this.#isAnswerable() || onRequest(recipient, type, wantReply, data)) return;
      library(self, recipient, type, wantReply, data);
    };
  }

  /** Has petit's AES-GCM take the place of the library's after each key exchange. Other ciphers stay the library's. */
  #useOwnCiphers(): void {
    const protocol = this.#internals._protocol;
    let cipher = protocol._cipher;
    let decipher = protocol._decipher;
    Object.defineProperty(protocol, "_cipher", {
      get: () => cipher,
      set: (made: LibraryCipher | object) => {
        this.#sealer = "_encSSLName" in made && made._encSSLName.endsWith("-gcm") ? new Sealer(made) : undefined;
        cipher = this.#sealer ?? made;
      },
    });
    Object.defineProperty(protocol, "_decipher", {
      get: () => decipher,
      set: (made: LibraryDecipher | object | undefined) => {
        const own = made !== undefined && "_decipherSSLName" in made && made._decipherSSLName.endsWith("-gcm");
        decipher = own ? new Opener(made, this.#onData) : made;
      },
    });
  }

  /** Has those go on who waited for room. */
  #goOn(): void {
    this.#unanswerable = 0;
    if (this.exchanging) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) call();
  }

  #noteExchanges(): void {
    const protocol = this.#internals._protocol;
    const done = protocol._onHandshakeComplete;
    let first = true;
    protocol._onHandshakeComplete = (...negotiated) => {
      if (first) this.#announceSignatures();
      // Sends what has waited, in its order.
      done(...negotiated);
      if (!first) this.onExchanged();
      first = false;
      this.#goOn();
    };
  }

  /** A peer that asks and asks, and does not take the answers, would have them pile up here. */
  #boundAnswers(): void {
    const handlers = this.#internals._protocol._handlers;
    for (const name of ["GLOBAL_REQUEST", "CHANNEL_OPEN", "CHANNEL_REQUEST"] as const) {
      const library = handlers[name] as (...rest: unknown[]) => void;
      handlers[name] = (...rest: unknown[]) => void (this.#isAnswerable() && library(...rest));
    }
  }

  #isAnswerable(): boolean {
    if (!this.congested) this.#unanswerable = 0;
    else if (++this.#unanswerable > MOST_UNANSWERABLE) this.violated("asks and does not take the answers");
    return this.#unanswerable <= MOST_UNANSWERABLE;
  }

  /** Whether keys are being exchanged: what is sent meanwhile waits in the library (RFC 4253, section 7.1). */
  get exchanging(): boolean {
    return this.#internals._protocol._kexinit !== undefined;
  }

  /** Bytes carried in both directions. */
  get volume(): number {
    return this.wire.bytesIn + this.wire.bytesOut;
  }

  alarmAt(volume: number, call: () => void): void {
    this.wire.alarmAt(volume, call);
  }

  /** Begins an exchange of keys, unless one is under way. That the peer begins one at the same moment does no harm. */
  rekey(): void {
    if (this.wire.writable && !this.#disconnected) this.#internals._protocol.rekey();
  }

  readonly #onData = (id: number, data: Buffer): boolean => {
    const channel = this.#internals._chanMgr.get(id);
    if (!(channel instanceof Channel)) return false;
    channel.incoming.window -= data.length;
    channel.push(data);
    return true;
  };

  #channel(id: number, outgoing: ChannelSide, over: ChannelLink = this): Channel {
    const channel = new Channel(over, { id, window: FULL_WINDOW, packetSize: LARGEST_PACKET, state: "open" }, outgoing);
    this.#internals._chanMgr.update(id, channel);
    if (outgoing.packetSize < 1) this.violated("opened a channel that takes no data");
    return channel;
  }

  /**
   * The name that both ends have for this connection: 16 hexadecimal digits of a hash of the SSH session's id, which stays the same
   * over all key exchanges. Empty before the first of them is done.
   */
  get tunnelId(): string {
    const id = this.#internals._protocol._kex?.sessionID;
    if (this.#tunnelId === undefined && id !== undefined) {
      this.#tunnelId = createHash("sha256").update("petit tunnel\0").update(id).digest("hex").slice(0, 16);
    }
    return this.#tunnelId ?? "";
  }

  /** Tells the peer that the connection ends, and why: the library has no room for a description. */
  #disconnect(why: string, reason: number): void {
    this.#transport(DISCONNECT, uint32(reason), sshString(why), sshString(""));
  }

  /** Says something that a person at the other end is to see, in SSH_MSG_DEBUG: a refusal has no room for a reason (RFC 4254, section 7.1). */
  say(what: string): void {
    const parts = [ALWAYS_DISPLAY, sshString(what), sshString("")];
    const protocol = this.#internals._protocol;
    // A peer that is strict about key exchanges, as the library is, takes nothing else during one.
    if (this.exchanging) (protocol._queue ??= []).push(Buffer.concat([Buffer.from([DEBUG]), ...parts]));
    else this.#transport(DEBUG, ...parts);
  }

  /** Sends a message of the transport layer, past the queue of a key exchange, as each of them may go (RFC 4253, section 7.1). */
  #transport(type: number, ...parts: Buffer[]): void {
    if (!this.wire.writable || this.#disconnected) return;
    const protocol = this.#internals._protocol;
    const writer = protocol._packetRW.write;
    const content = Buffer.concat(parts);
    const packet = writer.alloc(1 + content.length, true);
    content.copy(packet, packet.writeUInt8(type, writer.allocStartKEX));
    (protocol._cipher as { encrypt(packet: Buffer): void }).encrypt(writer.finalize(packet, true));
  }

  /**
   * Server: has the client told the public key algorithms that it may log in with, in place of the library's list, which has a comma too few
   * and names SHA-1.
   */
  announceSignatures(algorithms: readonly string[]): void {
    this.#signatures = algorithms;
  }

  #announceSignatures(): void {
    const kex = this.#internals._protocol._kex;
    if (this.#signatures === undefined || kex?.remoteExtInfoEnabled !== true) return;
    kex.remoteExtInfoEnabled = false;
    // The first message under the new keys (RFC 8308, section 2.4).
    this.#transport(EXT_INFO, ONE, sshString("server-sig-algs"), sshString(this.#signatures.join(",")));
  }

  /** Ends the connection in order. */
  end(why: string): void {
    this.#disconnect(why, BY_APPLICATION);
    this.wire.end();
  }

  /** Breaks the connection off, for a peer that need not be listening any more: the last word is for the case that it is. */
  abandon(why: string, reason = BY_APPLICATION): void {
    this.#disconnect(why, reason);
    this.wire.sendNow();
    this.wire.destroy();
  }

  /** For what came and is not right SSH; the library ends the connection afterwards. */
  complain(why: string): void {
    this.#disconnect(why, PROTOCOL_ERROR);
  }

  /** How many channels are open or being opened. */
  get channels(): number {
    return this.#internals._chanMgr._count;
  }

  /** How many of them carry nothing at present. */
  idleChannels = (): number => 0;

  get isFragile(): boolean {
    return isLegacyPetit(this.wire.greeting) && this.channels > this.idleChannels();
  }

  get paced(): boolean {
    return isPetit(this.wire.greeting);
  }

  get congested(): boolean {
    return this.wire.congested || this.exchanging;
  }

  onceDrained(call: () => void): void {
    this.#waiting.push(call);
  }

  sendData(recipient: number, data: Buffer): void {
    const protocol = this.#internals._protocol;
    // While keys are exchanged, data waits in the library's queue (RFC 4253, section 7.1).
    if (this.#sealer !== undefined && !this.exchanging) this.#sealer.sealData(recipient, data);
    else protocol.channelData(recipient, data);
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

  #noteAnswers(): void {
    const handlers = this.#internals._protocol._handlers;
    for (
      const name of ["CHANNEL_OPEN_FAILURE", "CHANNEL_WINDOW_ADJUST", "REQUEST_SUCCESS", "REQUEST_FAILURE"] as const
    ) {
      const others = handlers[name];
      handlers[name] = (...args) => {
        this.answered = performance.now();
        others?.(...args);
      };
    }
  }

  /** Sends "keepalive@openssh.com", which every SSH implementation answers (RFC 4254, section 4). */
  ping(): void {
    this.pinged = performance.now();
    if (this.asked <= this.answered) this.asked = this.pinged;
    // The client's library matches answers to questions by their order.
    this.#internals._callbacks?.push(() => {});
    this.#internals._protocol.ping();
  }

  violated(what: string): void {
    this.#onViolation(what);
    this.abandon(`the SSH protocol was broken (the other side ${what})`, PROTOCOL_ERROR);
  }
}
