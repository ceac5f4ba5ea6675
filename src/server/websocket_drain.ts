import type { Socket } from "node:net";
import { closeFrame, GOING_AWAY, WebSocketFrames } from "../http/websocket_frames.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import type { Between } from "../tunnel/splice.ts";

/** Milliseconds for a peer to answer a Close frame, counted from the last byte that went out. */
const CLOSE_REPLY = 2000;

/** Milliseconds from the end of our direction for a peer to end its own; read on until then, since unread bytes make a reset of an end. */
const LINGER = 1000;

const NOTHING: Buffer = Buffer.alloc(0);

/** One direction. */
interface Direction {
  readonly frames: WebSocketFrames;
  /** Nothing more is passed on: petit's Close frame was the last, or the sender ended before it could be put in. */
  closed: boolean;
  /** Its sender has ended it. */
  ended: boolean;
}

/**
 * Ends a WebSocket in order when petit does not carry it any longer: at the next frame boundary of each direction comes a
 * Close frame and nothing after it (RFC 6455, section 5.5.1; it may stand between the fragments of a message). Once both
 * peers have answered theirs, or have had the time for it, both connections end.
 */
export class WebSocketDrain implements Between {
  readonly #channel: DuplexChannel;
  readonly #socket: Socket;
  readonly #fromCaller = direction();
  readonly #fromService = direction();
  #draining = false;
  #ending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(channel: DuplexChannel, socket: Socket) {
    this.#channel = channel;
    this.#socket = socket;
  }

  /** Begins; a connection that is closing already, or does not speak WebSocket after all, is left alone. */
  drain(): void {
    if (this.#draining || [this.#fromCaller, this.#fromService].some(({ frames }) => frames.closeSeen || frames.lost)) {
      return;
    }
    this.#draining = true;
    if (this.#mayClose(this.#fromCaller)) this.#channel.write(this.#close(this.#fromCaller));
    if (this.#mayClose(this.#fromService)) this.#socket.write(this.#close(this.#fromService));
    for (const direction of [this.#fromCaller, this.#fromService]) direction.closed ||= direction.ended;
    this.#proceed();
  }

  get settled(): boolean {
    return this.#fromCaller.closed && this.#fromService.closed;
  }

  fromSocket(chunk: Buffer): Buffer {
    return this.#pass(this.#fromCaller, chunk);
  }

  fromChannel(chunk: Buffer): Buffer {
    return this.#pass(this.#fromService, chunk);
  }

  socketEnded(): void {
    this.#end(this.#fromCaller);
  }

  channelEnded(): void {
    this.#end(this.#fromService);
  }

  /** The caller's connection is gone. */
  over(): void {
    clearTimeout(this.#timer);
    this.#ending = true;
  }

  #mayClose({ ended, frames }: Direction): boolean {
    return !ended && frames.atBoundary;
  }

  /** The Close frame that is the last of a direction. */
  #close(direction: Direction): Buffer {
    direction.closed = true;
    return closeFrame(GOING_AWAY, "", direction === this.#fromCaller);
  }

  #pass(direction: Direction, chunk: Buffer): Buffer {
    const { frames } = direction;
    if (!this.#draining) {
      frames.read(chunk);
      return chunk;
    }
    if (direction.closed) {
      frames.read(chunk);
      if (frames.closeSeen) this.#proceed();
      return NOTHING;
    }
    const end = frames.readFrame(chunk, 0);
    if (!frames.atBoundary) return chunk;
    frames.read(chunk.subarray(end));
    // Not before what is returned here has been passed on.
    queueMicrotask(() => this.#proceed());
    return Buffer.concat([chunk.subarray(0, end), this.#close(direction)]);
  }

  #end(direction: Direction): void {
    direction.ended = true;
    if (!this.#draining) return;
    direction.closed = true;
    this.#proceed();
  }

  #proceed(): void {
    if (this.#ending) return;
    // What comes now is not kept for anyone, so it need not wait for anyone either; a Close frame may be behind it.
    if (this.#fromCaller.closed) this.#socket.resume();
    if (this.#fromService.closed) this.#channel.resume();
    if (this.#ending || !this.settled) return;
    if ([this.#fromCaller, this.#fromService].every(({ frames, ended }) => frames.closeSeen || ended)) this.#endBoth();
    else if (this.#timer === undefined) this.#waitFor(CLOSE_REPLY, () => this.#endBoth());
  }

  #endBoth(): void {
    clearTimeout(this.#timer);
    this.#ending = true;
    this.#channel.end();
    this.#socket.end();
    this.#waitFor(LINGER, () => this.#socket.destroySoon());
  }

  /** Calls `then` after a time in which no byte went out to either side. */
  #waitFor(milliseconds: number, then: () => void): void {
    const waiting = () => this.#socket.writableLength - this.#channel.bytesOut;
    const before = waiting();
    this.#timer = setTimeout(
      () => waiting() === before ? then() : this.#waitFor(milliseconds, then),
      milliseconds,
    );
  }
}

function direction(): Direction {
  return { frames: new WebSocketFrames(), closed: false, ended: false };
}
