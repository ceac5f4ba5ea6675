import { randomBytes } from "node:crypto";

/** The connection goes away: a server shuts down, a person leaves a page (RFC 6455, section 7.4.1). */
export const GOING_AWAY = 1001;

/** Longest payload of a control frame in bytes (RFC 6455, section 5.5). */
const MAX_CONTROL = 125;

const CLOSE = 0x8;

type Stage = "boundary" | "second-byte" | "length" | "payload";

/**
 * Finds the frame boundaries in one direction of a WebSocket (RFC 6455, section 5.2), however its bytes are cut. Payload is
 * skipped by counting; what it holds, and whether it is compressed, does not matter.
 */
export class WebSocketFrames {
  /** A Close frame has begun: it is the last frame of its direction. */
  closeSeen = false;
  /** These were no frames, or those of an extension that nobody knows: there are no more boundaries. */
  lost = false;
  #stage: Stage = "boundary";
  #control = false;
  /** Bytes of an extended length that are still to come. */
  #lengthBytes = 0;
  /** 4 where a masking key stands before the payload. */
  #keyBytes = 0;
  /** In stage "length" the length as far as it has come, in stage "payload" the bytes of key and payload still to come. */
  #left = 0;

  /** Whether a frame may be put in after the bytes that were read. */
  get atBoundary(): boolean {
    return this.#stage === "boundary" && !this.lost && !this.closeSeen;
  }

  /** Reads all of `bytes`. */
  read(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at = this.readFrame(bytes, at);
  }

  /**
   * Reads from the offset `from`, as far as the end of the frame that is under way there or begins there.
   *
   * @returns the offset behind what was read; that is a boundary if `atBoundary` says so
   */
  readFrame(bytes: Buffer, from: number): number {
    // Whatever stands behind a Close frame is none of the connection's.
    if (this.lost || (this.closeSeen && this.#stage === "boundary")) return bytes.length;
    let at = from;
    while (at < bytes.length && !this.lost) {
      if (this.#stage === "payload") {
        const size = Math.min(this.#left, bytes.length - at);
        this.#left -= size;
        at += size;
      } else this.#readHeader(bytes[at++] as number);
      if (this.#stage === "payload" && this.#left === 0) {
        this.#stage = "boundary";
        break;
      }
    }
    return at;
  }

  #readHeader(byte: number): void {
    if (this.#stage === "boundary") this.#begin(byte);
    else if (this.#stage === "second-byte") this.#readLength(byte);
    else {
      // The highest bit of 64 has to be 0. What 53 bits cannot hold will not be sent in anyone's lifetime.
      if (this.#lengthBytes === 8 && byte >= 0x80) this.lost = true;
      this.#left = this.#left * 256 + byte;
      if (--this.#lengthBytes === 0) this.#beginPayload(this.#left);
    }
  }

  #begin(byte: number): void {
    const opcode = byte & 0x0f;
    this.#control = opcode >= 0x8;
    const fragment = byte < 0x80;
    if ((opcode & 0x7) > 2 || (this.#control && fragment)) this.lost = true;
    else if (opcode === CLOSE) this.closeSeen = true;
    this.#stage = "second-byte";
  }

  #readLength(byte: number): void {
    const length = byte & 0x7f;
    this.#keyBytes = byte >= 0x80 ? 4 : 0;
    if (length <= MAX_CONTROL) return this.#beginPayload(length);
    if (this.#control) this.lost = true;
    this.#lengthBytes = length === 126 ? 2 : 8;
    this.#left = 0;
    this.#stage = "length";
  }

  #beginPayload(length: number): void {
    this.#left = this.#keyBytes + length;
    this.#stage = "payload";
  }
}

/**
 * A Close frame (RFC 6455, section 5.5.1).
 *
 * @param reason at most 123 bytes of UTF-8
 * @param masked what speaks for a client masks its frames, what speaks for a server never does (section 5.1)
 * @throws RangeError where the reason is too long for a control frame
 */
export function closeFrame(code: number, reason: string, masked: boolean): Buffer {
  const payload = Buffer.from(`\0\0${reason}`);
  if (payload.length > MAX_CONTROL) throw new RangeError("The reason of a Close frame is too long");
  payload.writeUInt16BE(code);
  const header = Buffer.from([0x80 | CLOSE, payload.length | (masked ? 0x80 : 0)]);
  if (!masked) return Buffer.concat([header, payload]);
  const key = randomBytes(4);
  for (let at = 0; at < payload.length; at++) payload[at] = (payload[at] as number) ^ (key[at % 4] as number);
  return Buffer.concat([header, key, payload]);
}
