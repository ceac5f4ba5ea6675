import type { ChannelUser } from "../tunnel/channel.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";

/** Idle channels kept for one registration. */
const MAX_IDLE = 256;

/**
 * Milliseconds that a service's connection is kept without a request. Node's HTTP server closes its own after 5 s, and a
 * request that crosses with that close is lost.
 */
export const IDLE_LIMIT = 4000;

interface Idle {
  readonly channel: DuplexChannel;
  /** In milliseconds of `performance.now()`. */
  readonly until: number;
}

/** Channels to one service whose last exchange is over and whose connection at the client's end stays open. */
export class ChannelPool {
  /** When an exchange was over last whose channel was worth keeping, in milliseconds of `performance.now()`. */
  lastUsed = -Infinity;
  #idle: Idle[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** How many are idle. */
  get size(): number {
    return this.#idle.length;
  }

  /** The channel that was used last, or undefined. */
  take(): DuplexChannel | undefined {
    const now = performance.now();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.until > now && idle.channel.reusable) return idle.channel;
      idle.channel.close();
    }
    return undefined;
  }

  /** Keeps a channel for the next request, for `limit` milliseconds at most. */
  put(channel: DuplexChannel, limit = IDLE_LIMIT): void {
    const now = performance.now();
    this.lastUsed = now;
    if (!channel.reusable || limit <= 0 || this.#idle.length >= MAX_IDLE) {
      channel.finish();
      return;
    }
    // A service that speaks unasked, or ends the connection, takes the channel out of the pool.
    const drop = () => {
      this.#idle = this.#idle.filter((idle) => idle.channel !== channel);
      channel.close();
    };
    const user: ChannelUser = { onData: drop, onEnd: drop, onDrain() {}, onClose: drop };
    channel.attach(user);
    this.#idle.push({ channel, until: now + Math.min(limit, IDLE_LIMIT) });
    this.#timer ??= setTimeout(this.#sweep, 1000).unref();
  }

  readonly #sweep = (): void => {
    const now = performance.now();
    const old = this.#idle.filter(({ until }) => until <= now);
    this.#idle = this.#idle.filter(({ until }) => until > now);
    for (const { channel } of old) channel.finish();
    this.#timer = this.#idle.length > 0 ? setTimeout(this.#sweep, 1000).unref() : undefined;
  };

  close(): void {
    clearTimeout(this.#timer);
    for (const { channel } of this.#idle) channel.finish();
    this.#idle = [];
  }
}
