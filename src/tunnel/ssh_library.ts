import ssh2 from "ssh2";

/**
 * The one file that imports the SSH library, and the members of it that petit uses beyond its documentation.
 * They are private: the version is pinned, and tests/tunnel hold what is assumed here.
 */

const { Client, Server, utils } = ssh2;
export { Client, Server, utils };

export type { AuthContext, Connection, ParsedKey } from "ssh2";

/** A parsed SSH_MSG_CHANNEL_OPEN for a TCP connection. */
export interface OpenRequest {
  type: string;
  sender: number;
  window: number;
  packetSize: number;
  data: { destIP: string; destPort: number; srcIP: string; srcPort: number };
}

/** What both a client's and a server's connection hold. */
export interface ConnectionInternals {
  /** Server: the client has said that it opens no more sessions. */
  readonly noMoreSessions?: boolean;
  _chanMgr: {
    /** Reserves a number. */
    add(): number;
    update(id: number, channel: unknown): void;
    get(id: number): unknown;
    /** How many numbers are in use. */
    readonly _count: number;
  };
  _protocol: {
    /** Assigned anew by each key exchange. */
    _cipher: object;
    _decipher: object | undefined;
    /** Set while keys are exchanged. */
    readonly _kexinit: unknown;
    /** Payloads that wait for the end of an exchange of keys. */
    _queue: Buffer[] | undefined;
    /** Sends KEXINIT, unless keys are being exchanged. */
    rekey(): void;
    /** What the library does otherwise for the peer's sake; set by its identification. */
    _compatFlags: number;
    /** What the next KEXINIT offers; shared by all connections of a server until it is given one of its own. */
    _offer: {
      readonly lists: Readonly<Record<"kex" | "serverHostKey", { readonly array: readonly string[] }>>;
    };
    /** The next message is a wrong guess of the peer's (RFC 4253, section 7). */
    _skipNextInboundPacket: boolean;
    /** Server only: by host key algorithm. */
    readonly _hostKeys?: Readonly<Record<string, unknown>>;
    /** Called when keys have been exchanged, the new ones in place. */
    _onHandshakeComplete(...negotiated: unknown[]): void;
    /** Takes what has been received, but for the messages of a key exchange; each decipher that is made from then on calls it. */
    _onPayload(payload: Buffer): number | boolean | undefined;
    /** The last key exchange; `sessionID` is that of the first one (RFC 4253, section 7.2). */
    readonly _kex?: { readonly sessionID?: Buffer; remoteExtInfoEnabled: boolean };
    readonly _packetRW: {
      readonly write: {
        readonly allocStart: number;
        readonly allocStartKEX: number;
        alloc(payload: number, force?: boolean): Buffer;
        finalize(packet: Buffer, force?: boolean): Buffer;
      };
    };
    _handlers: {
      /** Server: answers with `requestSuccess` or `requestFailure`, in the order of the requests. `data` is a Buffer where it does not know the name. */
      GLOBAL_REQUEST(self: unknown, name: string, wantReply: boolean, data: unknown): void;
      DISCONNECT(self: unknown, reason: number, description: string): void;
      /** Server: refuses everything in a channel that is not its own Session. `data` has been parsed. */
      CHANNEL_REQUEST(self: unknown, recipient: number, type: string, wantReply: boolean, data: unknown): void;
      CHANNEL_OPEN(self: unknown, request: { type: string }): void;
      CHANNEL_OPEN_CONFIRMATION(
        self: unknown,
        confirmation: { recipient: number; sender: number; window: number; packetSize: number },
      ): void;
      CHANNEL_OPEN_FAILURE?(self: unknown, ...rest: unknown[]): void;
      CHANNEL_WINDOW_ADJUST?(self: unknown, ...rest: unknown[]): void;
      /** Server: none. */
      REQUEST_SUCCESS?(self: unknown, ...rest: unknown[]): void;
      REQUEST_FAILURE?(self: unknown, ...rest: unknown[]): void;
    };
    channelOpenConfirm(recipient: number, sender: number, window: number, packetSize: number): void;
    channelOpenFail(recipient: number, reason: number, description: string): void;
    channelData(recipient: number, data: Buffer): void;
    channelExtData(recipient: number, data: Buffer, type: number): void;
    channelSuccess(recipient: number): void;
    channelFailure(recipient: number): void;
    /** Server only. */
    exitStatus(recipient: number, status: number): void;
    channelWindowAdjust(recipient: number, bytes: number): void;
    channelEOF(recipient: number): void;
    channelClose(recipient: number): void;
    requestSuccess(data?: Buffer): void;
    requestFailure(data?: Buffer): void;
    ping(): void;
  };
  /** Client only: the queue of global requests that wait for an answer. */
  _callbacks?: ((failed: boolean, data?: Buffer | null) => void)[];
}

/** Sends a message for which the library has no function, as it sends its own: after a key exchange where one is under way. */
export function sendMessage({ _protocol: protocol }: ConnectionInternals, type: number, content: Buffer): void {
  const writer = protocol._packetRW.write;
  const packet = writer.alloc(1 + content.length);
  content.copy(packet, packet.writeUInt8(type, writer.allocStart));
  const finalized = writer.finalize(packet);
  if (protocol._kexinit !== undefined) (protocol._queue ??= []).push(finalized);
  else (protocol._cipher as { encrypt(packet: Buffer): void }).encrypt(finalized);
}

// The library's keep-alive resets a timer for every packet. Keepalive (keepalive.ts) looks at the clock instead.
(Server as unknown as { KEEPALIVE_CLIENT_INTERVAL: number }).KEEPALIVE_CLIENT_INTERVAL = 0;
