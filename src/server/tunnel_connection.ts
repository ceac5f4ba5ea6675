import type { DuplexChannel } from "../tunnel/duplex_channel.ts";

/** What is known of the way to a client. Moments are milliseconds of `performance.now()`; see `Link`. */
export interface TunnelLink {
  /** The name that both ends have for it. */
  readonly tunnelId: string;
  /** How many channels are open or being opened. */
  readonly channels: number;
  readonly answered: number;
  readonly asked: number;
  readonly pinged: number;
  readonly wire: {
    /** Whether it still stands. */
    readonly writable: boolean;
    readonly lastReceived: number;
    /** How its client has introduced itself (RFC 4253, section 4.2); "" where that is not known. */
    readonly greeting: string;
  };
  ping(): void;
}

/** What carries callers to a client: its connection to the gateway, or what another SSH server lets one know and use of it. */
export interface TunnelConnection {
  readonly link: TunnelLink;
  /** Channels that the client has neither accepted nor refused yet. */
  readonly opening: number;
  /** Whether the service has been reached once a channel is open. */
  readonly opensAtService: boolean;
  /**
   * Opens a channel to what the client forwards under `address:port`.
   *
   * @throws Error with what is known about why it cannot be reached
   */
  open(address: string, port: number, originAddress: string, originPort: number): Promise<DuplexChannel>;
  /** Its client is about to end it. @param why what is told as its cause, in words */
  foresee(why: string): void;
  /** Ends it in order. @param why in words, for both sides */
  end(why: string): void;
  /** Ends it at once. */
  destroy(why: string): void;
}
