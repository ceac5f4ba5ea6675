import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { echoMessages } from "./message_echo.ts";
import { Pattern } from "./pattern.ts";

/** A connection that begins with this line is sent back all that follows. */
export const ECHO = "ECHO\n";

const PIECE = 16 * 1024;

/**
 * A service whose bytes a caller can verify. Hand it the connections of a listener. It answers
 *
 * - `GET /pattern?seed=S&bytes=N` with the pattern of S, in chunks with `&chunked=1`, up to the end of the connection with
 *   `&until-end=1`, with a pause between pieces with `&every=MS`
 * - `POST /hash` with the SHA-256 of the body, in JSON
 * - `GET /events?count=N&every=MS` with server-sent events 0 to N - 1
 * - an upgrade to "websocket" with every message that comes
 * - an upgrade to "echo", and a connection that begins with `ECHO`, with every byte that comes
 *
 * and names in each head the field X-Tag of its request, so that an answer to another request is noticed.
 */
export function serveVerifiably(socket: Socket): void {
  socket.on("error", () => {});
  void serve(socket).catch(() => socket.destroy());
}

async function serve(socket: Socket): Promise<void> {
  const reader = new Reader(socket);
  if (await reader.startsWith(ECHO)) {
    reader.take(ECHO.length);
    return echo(socket, reader);
  }
  for (let head = await reader.head(); head !== undefined; head = await reader.head()) {
    const [method, target = "/"] = head.split(" ");
    const { pathname, searchParams } = new URL(target, "http://service");
    const field = (name: string) => new RegExp(`^${name}: *(.*)$`, "im").exec(head as string)?.[1]?.trim() ?? "";
    const number = (name: string) => Number(searchParams.get(name) ?? 0);
    const tag = `X-Tag: ${field("x-tag")}\r\n`;
    const ok = (more: string) => write(socket, `HTTP/1.1 200 OK\r\n${tag}${more}\r\n`);
    if (field("upgrade") === "echo") {
      await write(socket, `HTTP/1.1 101 Switching Protocols\r\n${tag}Connection: upgrade\r\nUpgrade: echo\r\n\r\n`);
      return echo(socket, reader);
    } else if (field("upgrade") === "websocket") {
      // RFC 6455, section 4.2.2
      const accept = createHash("sha1").update(`${field("sec-websocket-key")}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      const fields = `${tag}Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${
        accept.digest("base64")
      }\r\n`;
      await write(socket, `HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`);
      return await echoMessages(reader, (bytes) => write(socket, bytes)).finally(() => socket.end());
    } else if (method === "POST") {
      const length = Number(field("content-length"));
      const body = JSON.stringify({ bytes: length, sha256: await reader.hash(length) });
      await ok(`Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`);
      await write(socket, body);
    } else if (pathname === "/events") {
      await ok("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n");
      for (let event = 0; event < number("count"); event++) {
        await write(socket, chunk(Buffer.from(`data: ${event}\n\n`)));
        await new Promise((resolve) => setTimeout(resolve, number("every")));
      }
      await write(socket, "0\r\n\r\n");
    } else {
      const chunked = searchParams.has("chunked");
      const untilEnd = searchParams.has("until-end");
      const bytes = number("bytes");
      const framing = untilEnd ? "Connection: close" : `Content-Length: ${bytes}`;
      await ok(chunked ? "Transfer-Encoding: chunked\r\n" : `${framing}\r\n`);
      const pattern = new Pattern(searchParams.get("seed") ?? "");
      for (let left = bytes; left > 0; left -= PIECE) {
        const piece = pattern.next(Math.min(left, PIECE));
        await write(socket, chunked ? chunk(piece) : piece);
        if (number("every") > 0) await new Promise((resolve) => setTimeout(resolve, number("every")));
      }
      if (untilEnd) break;
      if (chunked) await write(socket, "0\r\n\r\n");
    }
  }
  socket.end();
}

async function echo(socket: Socket, reader: Reader): Promise<void> {
  for (let bytes = await reader.some(); bytes !== undefined; bytes = await reader.some()) await write(socket, bytes);
  socket.end();
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

/** Settles when more may be written; rejects when the connection is gone. */
function write(socket: Socket, bytes: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new Error("The connection is gone"));
    if (socket.write(bytes)) return resolve();
    const end = (error?: Error) => {
      socket.off("drain", end).off("close", gone);
      if (error === undefined) resolve();
      else reject(error);
    };
    const gone = () => end(new Error("The connection is gone"));
    socket.once("drain", end).once("close", gone);
  });
}

/** Takes from a socket what it wants, in order; the socket is paused in between. */
export class Reader {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
      socket.pause();
      this.#wake();
    });
    const ended = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on("end", ended);
    socket.on("close", ended);
    socket.pause();
  }

  async startsWith(text: string): Promise<boolean> {
    while (this.#bytes.length < text.length && text.startsWith(this.#bytes.toString("latin1"))) {
      if (!await this.#more()) return false;
    }
    return this.#bytes.subarray(0, text.length).toString("latin1") === text;
  }

  /** The next head; undefined where the connection ends before. */
  async head(): Promise<string | undefined> {
    for (;;) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end >= 0) return this.take(end + 4).toString("latin1");
      if (!await this.#more()) return undefined;
    }
  }

  /** What is there, or comes next; undefined at the end. */
  async some(): Promise<Buffer | undefined> {
    if (this.#bytes.length === 0 && !await this.#more()) return undefined;
    return this.take(this.#bytes.length);
  }

  /** @throws Error where the connection ends before */
  async hash(length: number): Promise<string> {
    const hash = createHash("sha256");
    for (let left = length; left > 0;) {
      if (this.#bytes.length === 0 && !await this.#more()) throw new Error("The body was cut off");
      const piece = this.take(Math.min(left, this.#bytes.length));
      hash.update(piece);
      left -= piece.length;
    }
    return hash.digest("hex");
  }

  /** So many bytes; undefined where the connection ends before. */
  async exactly(length: number): Promise<Buffer | undefined> {
    while (this.#bytes.length < length) if (!await this.#more()) return undefined;
    return this.take(length);
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  /** Waits for more bytes; false at the end. */
  async #more(): Promise<boolean> {
    const before = this.#bytes.length;
    while (this.#bytes.length === before) {
      if (this.#ended) return false;
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      this.#socket.resume();
      await woken;
    }
    return true;
  }
}
