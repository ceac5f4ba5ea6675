import type { Socket } from "node:net";

/** One end of a connection: sends exactly the bytes it is told, and keeps all that comes. */
export class RawPeer {
  readonly socket: Socket;
  /** What was received and not taken yet, latin1. */
  received = "";
  /** Settles when the other side has ended the connection: "end" orderly, or the code of an error. */
  readonly closed: Promise<string>;
  #waiting: { test: () => boolean; resolve: () => void; reject: (error: Error) => void }[] = [];
  #done = false;

  constructor(socket: Socket) {
    this.socket = socket;
    let how = "end";
    socket.on("data", (bytes: Buffer) => {
      this.received += bytes.toString("latin1");
      this.#check();
    });
    socket.on("error", (error: Error & { code?: string }) => how = error.code ?? error.message);
    this.closed = new Promise((resolve) => {
      const settle = () => {
        this.#done = true;
        this.#check();
        resolve(how);
      };
      socket.on("end", settle);
      socket.on("close", settle);
    });
  }

  send(text: string): this {
    this.socket.write(Buffer.from(text, "latin1"));
    return this;
  }

  /** Sends each piece in a packet of its own, with time in between for the other side to read it. */
  async sendApart(pieces: Iterable<string>): Promise<void> {
    for (const piece of pieces) {
      await new Promise((resolve) => this.socket.write(Buffer.from(piece, "latin1"), resolve));
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    }
  }

  /** Ends this direction; the other goes on. */
  end(): this {
    this.socket.end();
    return this;
  }

  /** Waits until what was received passes `test`; rejects when the connection ends before. */
  until(test: (received: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ test: () => test(this.received), resolve: () => resolve(this.received), reject });
      this.#check();
    });
  }

  /** Waits for a string. */
  untilText(text: string): Promise<string> {
    return this.until((received) => received.includes(text));
  }

  /** Waits for so many bytes and takes them. */
  async take(bytes: number): Promise<string> {
    await this.until((received) => received.length >= bytes);
    const taken = this.received.slice(0, bytes);
    this.received = this.received.slice(bytes);
    return taken;
  }

  /** Waits for `text` and takes everything up to its end. */
  async takeUntil(text: string): Promise<string> {
    const received = await this.untilText(text);
    return this.take(received.indexOf(text) + text.length);
  }

  /** Waits for the head of a message and takes it. */
  takeHead(): Promise<string> {
    return this.takeUntil("\r\n\r\n");
  }

  /** Everything up to the end of the connection. */
  async all(): Promise<string> {
    await this.closed;
    return this.received;
  }

  close(): void {
    this.socket.destroy();
  }

  /** Breaks the connection off, so that the other side gets an error and no end. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  #check(): void {
    this.#waiting = this.#waiting.filter(({ test, resolve, reject }) => {
      if (test()) resolve();
      else if (this.#done) reject(new Error(`The connection ended after ${JSON.stringify(this.received)}`));
      else return true;
      return false;
    });
  }
}
