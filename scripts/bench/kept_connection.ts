import { connect, type Socket } from "node:net";

const HEAD_END = Buffer.from("\r\n\r\n");

/**
 * A keep-alive connection that carries one request at a time. Leaner than an HTTP client, whose own time would be in
 * the result.
 */
export class KeptConnection {
  readonly #socket: Socket;
  readonly #onError: (error: Error) => void;
  #received: Buffer = Buffer.alloc(0);
  #onAnswer: (() => void) | undefined;

  private constructor(socket: Socket, onError: (error: Error) => void) {
    this.#socket = socket;
    this.#onError = onError;
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("error", onError);
    socket.on("close", () => onError(new Error("a connection was closed")));
  }

  /** @param onError called when the connection is lost or an answer is wrong */
  static open(port: number, onError: (error: Error) => void): Promise<KeptConnection> {
    return new Promise((resolve) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true });
      const connection = new KeptConnection(socket, onError);
      socket.once("connect", () => resolve(connection));
    });
  }

  send(request: Buffer, onAnswer: () => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  /** Ends it; `onError` learns of that too. */
  close(): void {
    this.#socket.end();
  }

  #take(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (!head.startsWith("HTTP/1.1 200 ") || length === undefined) {
      return this.#onError(new Error(`an unexpected answer: ${head.slice(0, 200)}`));
    }
    const end = headEnd + HEAD_END.length + Number(length);
    if (this.#received.length < end) return;
    if (this.#received.length > end) return this.#onError(new Error("more bytes than the answer has"));
    this.#received = Buffer.alloc(0);
    this.#onAnswer?.();
  }
}
