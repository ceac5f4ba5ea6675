import { connect, type Socket } from "node:net";

/** An HTTP caller that sends exactly the bytes it is told, and keeps all that comes back. */
export class RawCaller {
  readonly socket: Socket;
  /** Everything received so far, latin1. */
  received = "";
  /** Settles when the server has closed the connection: "end" orderly, or the code of an error. */
  readonly closed: Promise<string>;
  #waiting: { test: () => boolean; resolve: () => void; reject: (error: Error) => void }[] = [];
  #done = false;

  constructor(port: number, host = "127.0.0.1") {
    this.socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
    let how = "end";
    this.socket.on("data", (bytes: Buffer) => {
      this.received += bytes.toString("latin1");
      this.#check();
    });
    this.socket.on("error", (error: Error & { code?: string }) => how = error.code ?? error.message);
    this.closed = new Promise((resolve) => {
      const settle = () => {
        this.#done = true;
        this.#check();
        resolve(how);
      };
      this.socket.on("end", settle);
      this.socket.on("close", settle);
    });
  }

  send(text: string): this {
    this.socket.write(Buffer.from(text, "latin1"));
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

  /** Everything up to the end of the connection. */
  async all(): Promise<string> {
    await this.closed;
    return this.received;
  }

  close(): void {
    this.socket.destroy();
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

/** Sends one request on a connection of its own and returns everything up to its end. */
export async function exchange(port: number, text: string): Promise<string> {
  const caller = new RawCaller(port);
  caller.send(text);
  const all = await caller.all();
  caller.close();
  return all;
}

/** The status code of the (last) answer in a text. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}
