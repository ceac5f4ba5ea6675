import type { Socket } from "node:net";
import type { OutcomeClass } from "./outcome.ts";

/** Why a request was not correct. */
export class Bad extends Error {
  readonly class: OutcomeClass;

  constructor(what: OutcomeClass, detail: string) {
    super(detail);
    this.class = what;
  }
}

/** What petit answers where the service cannot be reached. */
const CLEAN = new Set([502, 503, 504]);

/** Reads answers from a caller's socket, and throws `Bad` for whatever is not as it has to be. */
export class AnswerReader {
  readonly #socket: Socket;
  readonly #patience: number;
  #pieces: Buffer[] = [];
  #length = 0;
  #ended: string | undefined;
  #begun = false;
  #wake = () => {};
  #lastSign = performance.now();

  /** @param patience milliseconds without a byte in either direction after which the request is stuck */
  constructor(socket: Socket, patience: number) {
    this.#socket = socket;
    this.#patience = patience;
    socket.on("data", (bytes: Buffer) => {
      this.#pieces.push(bytes);
      this.#length += bytes.length;
      this.#begun = true;
      this.#lastSign = performance.now();
      this.#wake();
    });
    const end = (how: string) => {
      this.#ended ??= how;
      this.#wake();
    };
    socket.on("error", (error: Error & { code?: string }) => end(error.code ?? error.message));
    socket.on("end", () => end("end"));
    socket.on("close", () => end("close"));
  }

  /** Sends a body, as fast as it is taken, or with so many milliseconds between its pieces; that it is taken is a sign of life. */
  send(body: Buffer, every = 0): void {
    const next = (at: number) => {
      this.#lastSign = performance.now();
      if (at >= body.length || this.#socket.destroyed) return;
      const go = () => next(at + 16_384);
      this.#socket.write(body.subarray(at, at + 16_384), () => every > 0 ? setTimeout(go, every) : go());
    };
    next(0);
  }

  /**
   * A whole answer of the service, framed by a length or in chunks.
   *
   * @param untilEnd whether its end may be that of the connection
   */
  async answer(tag: string, untilEnd = false): Promise<{ body: Buffer }> {
    const { fields } = await this.head(tag);
    if (fields.get("transfer-encoding") !== "chunked") {
      const length = fields.get("content-length");
      if (length === undefined && untilEnd) return { body: await this.#untilEnd() };
      if (length === undefined) throw new Bad("corrupt", "the answer is framed in no way");
      return { body: await this.take(Number(length)) };
    }
    const body: Buffer[] = [];
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      if (Number.isNaN(size)) throw new Bad("corrupt", "a chunk has no size");
      if (size > 0) body.push(await this.take(size));
      if (await this.#line() !== "") throw new Bad("corrupt", "a chunk is longer than it says");
      if (size === 0) return { body: Buffer.concat(body) };
    }
  }

  /** The head of the service's answer to the request with that tag. */
  async head(tag: string): Promise<{ status: number; fields: Map<string, string> }> {
    this.#begun = this.#length > 0;
    this.#lastSign = performance.now();
    const [first = "", ...lines] = (await this.#until("\r\n\r\n")).toString("latin1").slice(0, -4).split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    const fields = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    if (CLEAN.has(status)) throw await this.#refusal(status, fields);
    if (status !== 200 && status !== 101) throw new Bad("corrupt", `status ${first}`);
    if (fields.get("x-tag") !== tag) throw new Bad("corrupt", "this is the answer to another request");
    return { status, fields };
  }

  /** @param bare whether the protocol has no end of its own, so that an orderly end in between looks like the whole */
  async take(length: number, bare = false): Promise<Buffer> {
    while (this.#length < length) {
      await this.#more(bare);
      if (bare && this.#length < length && this.#ended === "end" && this.#begun) {
        throw new Bad("corrupt", "the stream ended in order before it was whole");
      }
      if (this.#ended !== undefined && this.#length < length) this.#fail();
    }
    const all = this.#joined();
    this.#keep(all.subarray(length));
    return all.subarray(0, length);
  }

  /** Waits for the orderly end of the connection. */
  async nothingMore(): Promise<void> {
    while (this.#ended === undefined && this.#length === 0) await this.#more(true);
    if (this.#length > 0) throw new Bad("corrupt", "there are more bytes than there should be");
    if (this.#ended !== "end") throw new Bad("cut", `ended with ${this.#ended}`);
  }

  /** All that comes until the connection ends in order. */
  async #untilEnd(): Promise<Buffer> {
    while (this.#ended === undefined) await this.#more(true);
    if (this.#ended !== "end") this.#fail();
    return this.#joined();
  }

  async #refusal(status: number, fields: Map<string, string>): Promise<Bad> {
    const text = (await this.take(Number(fields.get("content-length") ?? 0))).toString();
    try {
      const { g2c, code } = JSON.parse(text) as { g2c: string; code: string };
      if (g2c === "unavailable" && code !== "") return new Bad("refused", `${status} ${code}`);
    } catch {
      // It is told below.
    }
    return new Bad("corrupt", `${status} without petit's JSON: ${text.slice(0, 200)}`);
  }

  async #line(): Promise<string> {
    return (await this.#until("\r\n")).toString("latin1").slice(0, -2);
  }

  async #until(text: string): Promise<Buffer> {
    for (;;) {
      const all = this.#joined();
      const at = all.indexOf(text);
      if (at >= 0) {
        this.#keep(all.subarray(at + text.length));
        return all.subarray(0, at + text.length);
      }
      await this.#more();
    }
  }

  #joined(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] as Buffer;
  }

  #keep(rest: Buffer): void {
    this.#pieces = [rest];
    this.#length = rest.length;
  }

  #fail(): never {
    throw new Bad(this.#begun ? "cut" : "refused", `ended with ${this.#ended}`);
  }

  /** Waits for another byte. @throws Bad where the connection has ended, or nothing comes */
  async #more(orEnd = false): Promise<void> {
    const before = this.#length;
    while (this.#length === before) {
      if (this.#ended !== undefined) {
        if (orEnd) return;
        this.#fail();
      }
      const left = this.#lastSign + this.#patience - performance.now();
      if (left <= 0) throw new Bad("stuck", `nothing for ${this.#patience / 1000} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
