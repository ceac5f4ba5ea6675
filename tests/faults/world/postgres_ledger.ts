import { connect, type Socket } from "node:net";

/** Tables that a transaction writes into, one row each: a half of one shows. */
export const LEDGER = "CREATE TABLE debits (id bigint PRIMARY KEY); CREATE TABLE credits (id bigint PRIMARY KEY);";

/**
 * Someone who keeps books: makes one transaction after the other, through a connection that it opens anew whenever it is lost, and remembers
 * those whose COMMIT was answered. Speaks the protocol of PostgreSQL, version 3.0 (its manual, "Frontend/Backend Protocol"), for a server that trusts
 * everyone.
 */
export class PostgresLedger {
  readonly acknowledged: number[] = [];
  /** Transactions whose outcome nobody was told. */
  unknown = 0;
  /** Messages that no PostgreSQL sends here. */
  readonly wrong: string[] = [];
  readonly #port: number;
  readonly #first: number;
  #stopped = false;
  readonly #running: Promise<void>;

  /** @param first its first id; it counts on from there */
  constructor(port: number, first: number) {
    this.#port = port;
    this.#first = first;
    this.#running = this.#keep();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #keep(): Promise<void> {
    let id = this.#first;
    while (!this.#stopped) {
      const connection = new Connection(this.#port);
      let begun = false;
      try {
        await connection.ready();
        while (!this.#stopped) {
          begun = false;
          await connection.ask("BEGIN", "BEGIN");
          begun = true;
          await connection.ask(`INSERT INTO debits VALUES (${id})`, "INSERT 0 1");
          await connection.ask(`INSERT INTO credits VALUES (${id})`, "INSERT 0 1");
          await connection.ask("COMMIT", "COMMIT");
          this.acknowledged.push(id++);
        }
      } catch (error) {
        if (begun) this.unknown++;
        // Whether it was committed is not known: the id is not used again.
        id++;
        if (error instanceof WrongAnswer) this.wrong.push(error.message);
        await new Promise((resolve) => setTimeout(resolve, 50));
      } finally {
        connection.close();
      }
    }
  }
}

class WrongAnswer extends Error {}

class Connection {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #lost = false;
  #wake = () => {};

  constructor(port: number) {
    const socket = this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const lost = () => {
      this.#lost = true;
      this.#wake();
    };
    socket.on("data", (bytes: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#wake();
    });
    socket.on("error", lost).on("end", lost).on("close", lost);
    const words = Buffer.from("user\0owner\0database\0postgres\0\0");
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + words.length, 0);
    head.writeInt32BE(3 << 16, 4);
    socket.write(Buffer.concat([head, words]));
  }

  async ready(): Promise<void> {
    await this.#answer();
  }

  /** @throws Error where the answer is not that one */
  async ask(sql: string, wanted: string): Promise<void> {
    const text = Buffer.from(`${sql}\0`);
    const head = Buffer.from("Q\0\0\0\0");
    head.writeInt32BE(4 + text.length, 1);
    this.#socket.write(Buffer.concat([head, text]));
    const tag = await this.#answer();
    if (tag !== wanted) throw new WrongAnswer(`"${tag}" instead of "${wanted}"`);
  }

  close(): void {
    this.#socket.destroy();
  }

  /** What the server says up to being ready for the next query: the tag of the command. */
  async #answer(): Promise<string> {
    let tag = "";
    for (;;) {
      const { type, body } = await this.#message();
      if (type === "C") tag = body.subarray(0, -1).toString();
      else if (type === "E") throw new Error(body.toString());
      else if (type === "Z") return tag;
      else if (!"RSKN".includes(type)) throw new WrongAnswer(`A message of type ${type}`);
    }
  }

  async #message(): Promise<{ type: string; body: Buffer }> {
    for (;;) {
      const length = this.#bytes.length >= 5 ? this.#bytes.readInt32BE(1) : Infinity;
      if (this.#bytes.length > length) {
        const whole = this.#bytes.subarray(0, length + 1);
        this.#bytes = this.#bytes.subarray(length + 1);
        return { type: String.fromCharCode(whole[0] as number), body: whole.subarray(5) };
      }
      if (this.#lost) throw new Error("The connection is lost");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}
