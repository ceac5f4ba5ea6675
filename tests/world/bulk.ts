import { createHash, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const MIB = 1024 * 1024;

/** Writes `size` bytes as fast as the socket takes them. */
export class BulkWriter {
  /** Bytes that the operating system has taken. */
  written = 0;
  /** Settles with the hash of everything once the last byte was taken. */
  readonly done: Promise<string>;

  /** @param block what is written again and again */
  constructor(socket: Socket, size: number, block: Buffer = randomBytes(MIB / 4)) {
    const hash = createHash("sha256");
    this.done = new Promise((resolve, reject) => {
      socket.once("close", () => reject(new Error(`The connection was closed after ${this.written} bytes`)));
      const next = () => {
        if (this.written >= size) return resolve(hash.digest("hex"));
        const piece = block.subarray(0, Math.min(block.length, size - this.written));
        socket.write(piece, (error) => {
          if (error) return reject(error);
          hash.update(piece);
          this.written += piece.length;
          next();
        });
      };
      next();
    });
    this.done.catch(() => {});
  }

  /** Waits until nothing more has been taken for half a second: no event tells that a peer has stopped reading. */
  async stalled(): Promise<void> {
    for (let before = -1, quiet = 0; quiet < 10; before = this.written) {
      await sleep(50);
      quiet = this.written === before ? quiet + 1 : 0;
    }
  }
}

/** The hash of the next `size` bytes; the socket is paused until this is called. */
export function hashOf(socket: Socket, size: number): Promise<string> {
  const hash = createHash("sha256");
  let left = size;
  return new Promise((resolve, reject) => {
    socket.once("close", () => reject(new Error(`The connection was closed with ${left} bytes to come`)));
    socket.on("data", (bytes: Buffer) => {
      hash.update(bytes.subarray(0, left));
      left -= Math.min(left, bytes.length);
      if (left === 0) resolve(hash.digest("hex"));
    });
    socket.resume();
  });
}

/** Reads the head of a message and not a byte more from the operating system than came along with it. */
export function readHeadAndPause(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const onData = (bytes: Buffer) => {
      text += bytes.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", onData);
      socket.pause();
      if (end + 4 < text.length) socket.unshift(Buffer.from(text.slice(end + 4), "latin1"));
      resolve(text.slice(0, end + 4));
    };
    socket.on("data", onData);
    socket.resume();
  });
}

/** A caller's socket on which nothing is read yet. */
export function pausedCaller(port: number, request: string): Socket {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true }).pause();
  socket.on("error", () => {});
  socket.write(request);
  return socket;
}
