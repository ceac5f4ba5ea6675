import { connect } from "node:net";
import { Client } from "../../../src/tunnel/ssh_library.ts";

/** When the hostile messages come: after the key exchange, or after a login that succeeded. */
export type InjectAt = "handshake" | "ready";

interface Internals {
  _protocol: {
    _cipher: { encrypt(packet: Buffer): void };
    _packetRW: {
      write: {
        allocStartKEX: number;
        alloc(size: number, force: boolean): Buffer;
        finalize(packet: Buffer, force: boolean): Buffer;
      };
    };
  };
}

/** Sends any payload as one packet that is sealed as it should be. */
export function inject(connection: object, payload: Buffer): void {
  const { _cipher: cipher, _packetRW: { write } } = (connection as Internals)._protocol;
  const packet = write.alloc(payload.length, true);
  payload.copy(packet, write.allocStartKEX);
  cipher.encrypt(write.finalize(packet, true));
}

/** Milliseconds that a connection may take altogether. */
const LONGEST = 10_000;

/**
 * A client that exchanges keys, logs in where it is asked to, sends messages of any kind, and hangs up.
 *
 * @returns whether it got as far as sending them
 * @throws Error where the connection stays open
 */
export function injectIntoServer(
  port: number,
  key: string,
  at: InjectAt,
  payloads: readonly Buffer[],
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let sent = false;
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new Client();
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`The connection stayed open; ${sent ? "sent" : "nothing was sent"}`));
    }, LONGEST);
    const over = () => {
      clearTimeout(timer);
      resolve(sent);
    };
    client.on(at as "ready", () => {
      sent = true;
      try {
        for (const payload of payloads) inject(client, payload);
      } catch {
        // The server was done with it already.
      }
      // Behind the last packet, so that it is read.
      socket.end();
    });
    client.on("error", () => {});
    socket.on("error", () => {});
    socket.on("close", over);
    const hostile = at === "handshake" ? { authHandler: () => {} } : { privateKey: key };
    client.connect({ sock: socket, username: "fuzz", readyTimeout: 0, ...hostile } as never);
  });
}
