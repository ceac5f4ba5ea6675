import type { Socket } from "node:net";

/**
 * Ends a connection so that the peer cannot take it for an orderly end: with a reset, or where the runtime has none (TLS), without
 * the closing alert.
 */
export function resetConnection(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}
