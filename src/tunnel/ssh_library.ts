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
    /** The last key exchange; `sessionID` is that of the first one (RFC 4253, section 7.2). */
    readonly _kex?: { readonly sessionID?: Buffer };
    readonly _packetRW: {
      readonly write: {
        readonly allocStartKEX: number;
        alloc(payload: number, force: boolean): Buffer;
        finalize(packet: Buffer, force: boolean): Buffer;
      };
    };
    _handlers: {
      DISCONNECT(self: unknown, reason: number, description: string): void;
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
    channelWindowAdjust(recipient: number, bytes: number): void;
    channelEOF(recipient: number): void;
    channelClose(recipient: number): void;
    ping(): void;
  };
  /** Client only: the queue of global requests that wait for an answer. */
  _callbacks?: ((failed: boolean) => void)[];
}

// The library's keep-alive resets a timer for every packet. Keepalive (keepalive.ts) looks at the clock instead.
(Server as unknown as { KEEPALIVE_CLIENT_INTERVAL: number }).KEEPALIVE_CLIENT_INTERVAL = 0;

/**
 * What is offered on both sides, best first. AES-GCM leads because it is the fastest that every runtime has; Bun has
 * no chacha20 cipher. No SHA-1, no CBC, no key exchange without forward secrecy, no compression; and no MODP groups: to make a
 * key in one of 4,096 bits, which anybody may ask for before a login, holds Bun 1.4.5 up for more than ten seconds.
 */
export const algorithms = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
  ],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
  compress: ["none"],
} as const;

/** RFC 4254, section 5.1. */
export const OPEN_FAILURE: Record<number, string> = {
  1: "administratively prohibited",
  2: "connect failed",
  3: "unknown channel type",
  4: "resource shortage",
};
