import { connect } from "node:net";

/** Milliseconds that a peer has to close a connection whose other side has ended. */
const CLOSE_WITHIN = 8000;

/**
 * Sends bytes in pieces on a connection of its own, ends this direction, and waits for the end of the other.
 *
 * @returns what came back, latin1
 * @throws Error where the connection stays open
 */
export function hostileConnection(port: number, pieces: readonly Buffer[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(
        new Error(`The connection stayed open; ${received.length} bytes came: ${JSON.stringify(received.slice(-300))}`),
      );
    }, CLOSE_WITHIN);
    const over = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    socket.on("data", (bytes: Buffer) => received.length < 65_536 && (received += bytes.toString("latin1")));
    // A reset is an end as well.
    socket.on("error", over);
    socket.on("end", over);
    socket.on("close", over);
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}
