import { type Field, parseFields, withHyphens } from "./fields.ts";
import type { Framing } from "./framing.ts";
import { MessageError } from "./message_error.ts";

/** Longest chunk-size line, extensions and all, in bytes. */
const MAX_SIZE_LINE = 4096;
/** Longest trailer section in bytes. */
const MAX_TRAILERS = 16 * 1024;

const CHUNK_SIZE = /^([0-9A-Fa-f]{1,12})(?:[\t ]*;[\t\x20-\x7e\x80-\xff]*)?$/;

type State = "data" | "size" | "chunk" | "chunk-end" | "trailers" | "done";

/** Finds the end of a body while it streams by; hands out its data without the framing. */
export class BodyReader {
  /** Fields behind a chunked body (RFC 9112, section 7.1.2). */
  trailers: readonly Field[] = [];
  #state: State;
  #left: number;
  /** An unfinished line of a chunked body. */
  #line = "";
  #trailerLines: string[] = [];
  #trailerBytes = 0;

  constructor(framing: Framing) {
    this.#state = framing.kind === "none" ? "done" : framing.kind === "chunked" ? "size" : "data";
    this.#left = framing.kind === "length" ? framing.length : Infinity;
  }

  get done(): boolean {
    return this.#state === "done";
  }

  /**
   * Takes bytes of the connection and calls `onData` for each piece of the body among them.
   *
   * @returns how many bytes belonged to this message; the rest belongs to the next
   * @throws MessageError where chunked framing is broken
   */
  read(bytes: Buffer, onData: (piece: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      if (this.#state === "data" || this.#state === "chunk") {
        const size = Math.min(this.#left, bytes.length - at);
        const piece = size === bytes.length ? bytes : bytes.subarray(at, at + size);
        at += size;
        this.#left -= size;
        if (this.#left === 0) this.#state = this.#state === "data" ? "done" : "chunk-end";
        onData(piece);
      } else {
        at = this.#readLine(bytes, at);
      }
    }
    return at;
  }

  #readLine(bytes: Buffer, from: number): number {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end + 1;
    this.#line += bytes.toString("latin1", from, to);
    if (this.#line.length > MAX_SIZE_LINE) throw new MessageError("A line of the chunked body is too long");
    if (end < 0) return to;
    if (!this.#line.endsWith("\r\n")) {
      throw new MessageError("A line of the chunked body ends without a carriage return");
    }
    const line = this.#line.slice(0, -2);
    this.#line = "";
    this.#takeLine(line);
    return to;
  }

  #takeLine(line: string): void {
    if (this.#state === "chunk-end") {
      if (line !== "") throw new MessageError("A chunk is longer than its size");
      this.#state = "size";
    } else if (this.#state === "size") {
      const match = CHUNK_SIZE.exec(line);
      if (match === null) throw new MessageError("A chunk size is not a hexadecimal number");
      this.#left = Number.parseInt(match[1] as string, 16);
      this.#state = this.#left === 0 ? "trailers" : "chunk";
    } else if (line === "") {
      this.trailers = parseFields(this.#trailerLines, 0);
      this.#state = "done";
    } else {
      this.#trailerBytes += line.length;
      if (this.#trailerBytes > MAX_TRAILERS) throw new MessageError("The trailer section is too long");
      this.#trailerLines.push(line);
    }
  }
}

/** RFC 9110, section 6.5.1: fields that frame, route or authorise have no business behind the body. */
const NOT_IN_TRAILERS = new Set([
  "transfer-encoding",
  "content-length",
  "host",
  "trailer",
  "connection",
  "te",
  "upgrade",
  "keep-alive",
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "content-encoding",
  "content-type",
  "content-range",
  "expect",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-real-ip",
]);

/** Writes one piece of data as a chunk (RFC 9112, section 7.1). */
export function chunkOf(piece: Buffer): Buffer {
  const size = `${piece.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + piece.length + 2);
  chunk.write(size, 0, "latin1");
  chunk.set(piece, size.length);
  chunk.write("\r\n", size.length + piece.length, "latin1");
  return chunk;
}

/** The last chunk with the trailer section. */
export function lastChunk(trailers: readonly Field[]): Buffer {
  let text = "0\r\n";
  for (const { name, lower, value } of trailers) {
    if (!NOT_IN_TRAILERS.has(withHyphens(lower))) text += `${name}: ${value}\r\n`;
  }
  return Buffer.from(`${text}\r\n`, "latin1");
}
