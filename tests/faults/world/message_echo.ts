import type { Reader } from "./verifying_service.ts";

/** Of a WebSocket frame (RFC 6455, section 5.2). */
const CLOSE = 0x8;

/**
 * The service's end of a WebSocket: each message, a masked frame below 64 KiB, is sent back in a frame that is not; a Close frame is
 * answered, and is the end.
 */
export async function echoMessages(reader: Reader, write: (bytes: Buffer) => Promise<void>): Promise<void> {
  for (;;) {
    const frame = await takeFrame(reader);
    if (frame === undefined) return;
    await write(frameOf(frame.opcode, frame.payload));
    if (frame.opcode === CLOSE) return;
  }
}

/** A whole frame; undefined where the connection ends before. */
export async function takeFrame(
  reader: Pick<Reader, "exactly">,
): Promise<{ opcode: number; payload: Buffer } | undefined> {
  const head = await reader.exactly(2);
  if (head === undefined) return undefined;
  const [first, second] = head as unknown as [number, number];
  const short = second & 0x7f;
  const length = short < 126 ? short : (await reader.exactly(2))?.readUInt16BE(0);
  if (length === undefined) return undefined;
  const mask = second >= 0x80 ? await reader.exactly(4) : Buffer.alloc(4);
  const payload = await reader.exactly(length);
  if (mask === undefined || payload === undefined) return undefined;
  return { opcode: first & 0x0f, payload: masked(payload, mask) };
}

/** A frame that is a whole message below 64 KiB, masked where there is a mask. */
export function frameOf(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const bit = mask === undefined ? 0 : 0x80;
  const { length } = payload;
  const head = length < 126
    ? Buffer.from([0x80 | opcode, bit | length])
    : Buffer.from([0x80 | opcode, bit | 126, length >> 8, length & 0xff]);
  return Buffer.concat(mask === undefined ? [head, payload] : [head, mask, masked(payload, mask)]);
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  return Buffer.from(payload.map((byte, at) => byte ^ (mask[at % 4] as number)));
}
