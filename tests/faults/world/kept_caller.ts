import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { AnswerReader, Bad } from "./answer_reader.ts";
import { connectTo, judge, PATIENCE, type Reach } from "./caller.ts";
import type { Outcome } from "./outcome.ts";
import { patternOf } from "./pattern.ts";

const BYTES = 300;

/**
 * A caller that keeps its connection as HTTP/1.1 has it (RFC 9112, section 9): for as long as the other end does, and says so. Its requests
 * are not sent a second time, whatever happens.
 */
export class KeptCaller {
  readonly #reach: Reach;
  #connection: { readonly socket: Socket; readonly reader: AnswerReader } | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** Connections that it has opened. */
  opened = 0;

  constructor(reach: Reach) {
    this.#reach = reach;
  }

  /** One request, after those that were asked before. */
  ask(): Promise<Outcome> {
    const outcome = this.#turn.then(() => judge("kept", () => this.#ask()));
    this.#turn = outcome;
    return outcome;
  }

  close(): void {
    this.#connection?.socket.destroy();
  }

  async #ask(): Promise<void> {
    const { socket, reader } = this.#connection ??= this.#open();
    const tag = randomUUID();
    try {
      socket.write(
        `GET /pattern?seed=${tag}&bytes=${BYTES} HTTP/1.1\r\nHost: ${this.#reach.host}\r\nX-Tag: ${tag}\r\n\r\n`,
      );
      const { fields } = await reader.head(tag);
      const body = await reader.take(Number(fields.get("content-length")));
      if (!body.equals(patternOf(tag, BYTES))) throw new Bad("corrupt", "another answer than it has to be");
      if (fields.get("connection")?.toLowerCase() === "close") this.#leave(socket);
    } catch (error) {
      this.#leave(socket);
      throw error;
    }
  }

  #open(): { socket: Socket; reader: AnswerReader } {
    this.opened++;
    const socket = connectTo(this.#reach);
    const connection = { socket, reader: new AnswerReader(socket, PATIENCE) };
    socket.on("end", () => this.#leave(socket));
    socket.on("close", () => this.#leave(socket));
    return connection;
  }

  #leave(socket: Socket): void {
    if (this.#connection?.socket === socket) this.#connection = undefined;
    socket.destroy();
  }
}
