import type { RawPeer } from "./raw_peer.ts";
import { head } from "./raw_http.ts";

/** Opcodes (RFC 6455, section 5.2). */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;

/** The payload of a Close frame without a reason that says "going away". */
export const GOING_AWAY = "\x03\xe9";

/** A service's consent to a WebSocket. */
export const SWITCHING = head(
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
);

/** A caller's request for a WebSocket, or for another protocol. */
export function asking(host: string, protocol = "websocket"): string {
  return head(
    "GET /chat HTTP/1.1",
    `Host: ${host}`,
    "Connection: Upgrade",
    `Upgrade: ${protocol}`,
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  );
}

/** One frame, as it is on the wire: latin1, a byte a character. */
export interface Frame {
  opcode: number;
  payload: string;
  /** Whether it is the last of its message; it is if this is not said. */
  fin?: boolean;
  masked?: boolean;
  /** The bytes that say the length: the fewest that can, if this is not said. */
  lengthBytes?: 0 | 2 | 8;
}

const KEY = [0x37, 0xfa, 0x21, 0x3d];

const mask = (payload: string, key: readonly number[]) =>
  Array.from(payload, (character, at) => String.fromCharCode(character.charCodeAt(0) ^ (key[at % 4] as number))).join(
    "",
  );

/** The bytes of a frame. */
export function frameBytes({ opcode, payload, fin = true, masked = false, lengthBytes }: Frame): string {
  const { length } = payload;
  const bytes = lengthBytes ?? (length < 126 ? 0 : length < 65_536 ? 2 : 8);
  const header = Buffer.alloc(2 + bytes);
  header[0] = opcode | (fin ? 0x80 : 0);
  header[1] = (masked ? 0x80 : 0) | (bytes === 0 ? length : bytes === 2 ? 126 : 127);
  if (bytes === 2) header.writeUInt16BE(length, 2);
  if (bytes === 8) header.writeBigUInt64BE(BigInt(length), 2);
  return header.toString("latin1") +
    (masked ? String.fromCharCode(...KEY) + mask(payload, KEY) : payload);
}

/** Takes one frame that a peer has sent. */
export async function takeFrame(peer: RawPeer): Promise<Required<Omit<Frame, "lengthBytes">>> {
  const [first, second] = Buffer.from(await peer.take(2), "latin1") as unknown as [number, number];
  const short = second & 0x7f;
  const extended = short < 126 ? "" : await peer.take(short === 126 ? 2 : 8);
  const length = extended === "" ? short : Number(`0x${Buffer.from(extended, "latin1").toString("hex")}`);
  const masked = second >= 0x80;
  const key = masked ? [...Buffer.from(await peer.take(4), "latin1")] : [];
  const payload = await peer.take(length);
  return { opcode: first & 0x0f, fin: first >= 0x80, masked, payload: masked ? mask(payload, key) : payload };
}
