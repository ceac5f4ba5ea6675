import type { ChannelUser } from "./channel.ts";

/**
 * A stream in both directions as whoever carries bytes uses it: a channel of an SSH connection ({@link Channel}), or a TCP connection where the SSH
 * connection is another program's.
 */
export interface DuplexChannel {
  /** `id`: its number, for logs. */
  readonly incoming: { readonly id: number };
  /** Bytes received and sent. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Told of the first bytes that come. */
  onFirst: (() => void) | undefined;
  /** It is gone. */
  readonly destroyed: boolean;
  /** True as long as bytes can be sent. */
  readonly writable: boolean;
  /** True when nothing was lost and nothing is under way. */
  readonly reusable: boolean;
  /** Hands it to `user` and lets bytes flow to it. */
  attach(user: ChannelUser): void;
  detach(): void;
  /** False asks to wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  /** Ends this direction once everything written has been sent; the other one goes on. */
  end(): void;
  /** Ends this direction as `end` does, and then the whole. */
  finish(): void;
  /** Ends both directions at once. */
  close(): void;
  pause(): void;
  resume(): void;
}
