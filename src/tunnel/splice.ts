import type { Socket } from "node:net";
import { resetConnection } from "../platform/reset.ts";
import type { Channel } from "./channel.ts";

/**
 * Joins a channel to a socket until both directions have ended. Each direction ends on its own (half-close), waits for
 * its reader (back-pressure), and a reset on one side becomes a reset on the other.
 *
 * @param onOver told once, when the socket is gone: "caller-left" or "reset" where the socket or the channel was broken off, null otherwise
 * @param onGone told once, when the channel is gone too
 */
export function splice(
  channel: Channel,
  socket: Socket,
  onOver: (error: "caller-left" | "reset" | null) => void = () => {},
  onGone: () => void = () => {},
): void {
  let failed = false;
  let reset = false;
  let open = 2;
  const gone = () => {
    if (--open === 0) onGone();
  };
  socket.on("data", (chunk: Buffer) => {
    if (!channel.write(chunk)) socket.pause();
  });
  socket.on("end", () => channel.end());
  socket.on("drain", () => channel.resume());
  socket.on("error", () => failed = true);
  socket.on("close", () => {
    // Without an end of its own the other side takes this for a reset, which is what it is.
    if (failed) channel.close();
    else channel.finish();
    // Bytes that nobody takes any more would keep the end of the channel from being told.
    channel.resume();
    onOver(reset ? "reset" : failed ? "caller-left" : null);
    gone();
  });
  channel.attach({
    onData(chunk) {
      if (!socket.destroyed && !socket.write(chunk)) channel.pause();
    },
    onEnd() {
      socket.end();
    },
    onDrain() {
      socket.resume();
    },
    onClose(aborted) {
      reset = aborted && !failed;
      if (aborted) resetConnection(socket);
      else socket.destroySoon();
      gone();
    },
  });
  if (socket.readableEnded) channel.end();
  socket.resume();
}
