import type { Socket } from "node:net";
import { resetConnection } from "../platform/reset.ts";
import type { DuplexChannel } from "./duplex_channel.ts";

/** Whoever stands between a channel and a socket: sees what passes, and may pass on something else. */
export interface Between {
  /** Each side has been told of the end in its own protocol: one that breaks off now is no news to the other. */
  readonly settled: boolean;
  /** It has bytes of the channel that it has not passed on yet: it ends the socket itself once it has. */
  readonly keepsBytes?: boolean;
  /** Return the bytes to pass on; none where nothing is. */
  fromSocket(chunk: Buffer): Buffer;
  fromChannel(chunk: Buffer): Buffer;
  /** A side will send no more, and the other has been told. */
  socketEnded(): void;
  channelEnded(): void;
  /** The channel was broken off while bytes of it wait to be read. */
  channelCut?(): void;
}

/**
 * Joins a channel to a socket until both directions have ended. Each direction ends on its own (half-close), waits for
 * its reader (back-pressure), and a reset on one side becomes a reset on the other.
 *
 * @param onOver told once, when the socket is gone: "caller-left" or "reset" where the socket or the channel was broken off, null otherwise
 * @param onGone told once, when the channel is gone too
 * @param between ends both, once it is settled, within a time of its own
 */
export function splice(
  channel: DuplexChannel,
  socket: Socket,
  onOver: (error: "caller-left" | "reset" | null) => void = () => {},
  onGone: () => void = () => {},
  between?: Between,
): void {
  let failed = false;
  let reset = false;
  let open = 2;
  const gone = () => {
    if (--open === 0) onGone();
  };
  socket.on("data", (chunk: Buffer) => {
    if (!channel.write(between === undefined ? chunk : between.fromSocket(chunk))) socket.pause();
  });
  const onSocketEnd = () => {
    channel.end();
    between?.socketEnded();
  };
  socket.on("end", onSocketEnd);
  socket.on("drain", () => channel.resume());
  socket.on("error", () => failed = true);
  socket.on("close", () => {
    // Without an end of its own the other side takes this for a reset, which is what it is.
    if (failed && !between?.settled) channel.close();
    else channel.finish();
    // Bytes that nobody takes any more would keep the end of the channel from being told.
    channel.resume();
    onOver(between?.settled ? null : reset ? "reset" : failed ? "caller-left" : null);
    gone();
  });
  channel.attach({
    onData(chunk) {
      const bytes = between === undefined ? chunk : between.fromChannel(chunk);
      if (bytes.length > 0 && !socket.destroyed && !socket.write(bytes)) channel.pause();
    },
    onEnd() {
      if (between?.keepsBytes !== true) socket.end();
      between?.channelEnded();
    },
    onDrain() {
      socket.resume();
    },
    onCut() {
      between?.channelCut?.();
    },
    onClose(aborted) {
      reset = aborted && !failed;
      if (between?.settled) {
        socket.end();
        between.channelEnded();
      } else if (aborted) resetConnection(socket);
      else socket.destroySoon();
      gone();
    },
  });
  if (socket.readableEnded) onSocketEnd();
  socket.resume();
}
