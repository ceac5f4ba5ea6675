import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AnswerReader, Bad } from "./answer_reader.ts";
import { connectTo, judge, PATIENCE, type Reach } from "./caller.ts";
import { frameOf, takeFrame } from "./message_echo.ts";
import type { Outcome } from "./outcome.ts";
import { patternOf } from "./pattern.ts";

const BINARY = 0x2;
const CLOSE = 0x8;
const GOING_AWAY = 1001;

/** A caller with a WebSocket, which it opens anew when it is told that the other end goes away, and which is to lose no message. */
export class WebSocketCaller {
  /** How often it was told to go. */
  told = 0;
  readonly #reach: Reach;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** Sends messages, each when the one before has come back, until `signal` is aborted; a message that was cut off by a Close frame is sent again. */
  talk(pause: number, signal: AbortSignal): Promise<Outcome> {
    return judge("websocket", async () => {
      while (!signal.aborted) {
        if (await this.#connection(pause, signal)) this.told++;
      }
    });
  }

  /** One connection; whether it ended since the other end goes away. */
  async #connection(pause: number, signal: AbortSignal): Promise<boolean> {
    const socket = connectTo(this.#reach);
    try {
      const reader = new AnswerReader(socket, PATIENCE);
      const frames = { exactly: (bytes: number) => reader.take(bytes) };
      const tag = randomUUID();
      socket.write(
        `GET /chat HTTP/1.1\r\nHost: ${this.#reach.host}\r\nX-Tag: ${tag}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
      );
      await reader.head(tag);
      for (let message = 0; !signal.aborted; message++) {
        const sent = patternOf(`${tag}${message}`, 500);
        socket.write(frameOf(BINARY, sent, randomBytes(4)));
        const frame = await takeFrame(frames);
        if (frame?.opcode === CLOSE) {
          const code = frame.payload.readUInt16BE(0);
          if (code !== GOING_AWAY) throw new Bad("corrupt", `closed with ${code}`);
          socket.write(frameOf(CLOSE, frame.payload, randomBytes(4)));
          return true;
        }
        if (frame?.opcode !== BINARY || !frame.payload.equals(sent)) {
          throw new Bad("corrupt", "another message came back");
        }
        await sleep(pause);
      }
      return false;
    } finally {
      // What was written goes out first.
      socket.destroySoon();
    }
  }
}
