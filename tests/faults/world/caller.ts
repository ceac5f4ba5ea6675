import { randomUUID } from "node:crypto";
import { connect, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { AnswerReader, Bad } from "./answer_reader.ts";
import type { Outcome, OutcomeClass } from "./outcome.ts";
import { hashOfBytes, patternOf } from "./pattern.ts";
import { ECHO } from "./verifying_service.ts";

/** Where a caller finds a service, and how patient it is. */
export interface Reach {
  readonly proxyPort: number;
  /** The reverse port. */
  readonly rawPort: number;
  /** A Host field that leads to the service. */
  readonly host: string;
  /** The certificate of the proxy, where it speaks TLS. */
  readonly ca?: string;
}

/** How an answer is sent. */
export interface Sent {
  readonly chunked?: boolean;
  /** Its end is the end of the connection (RFC 9112, section 6.3), as it is for callers of HTTP/1.0. */
  readonly untilEnd?: boolean;
  /** Milliseconds between its pieces of 16 KiB. */
  readonly every?: number;
}

/** Milliseconds without any byte after which a request counts as stuck: 10 s to find a peer dead, 5 s held, and as much again. */
export const PATIENCE = 30_000;

/** A caller of the verifying service, who says what became of each of its requests. It never throws. */
export class Caller {
  readonly #reach: Reach;
  readonly #patience: number;

  constructor(reach: Reach, patience = PATIENCE) {
    this.#reach = reach;
    this.#patience = patience;
  }

  /** A small request, on a connection of its own. */
  ask(): Promise<Outcome> {
    return this.download(64, {}, "ask");
  }

  download(
    bytes: number,
    { chunked = false, untilEnd = false, every = 0 }: Sent = {},
    kind = "download",
  ): Promise<Outcome> {
    const framing = `${chunked ? "&chunked=1" : ""}${untilEnd ? "&until-end=1" : ""}`;
    return this.#http(untilEnd ? "until end" : kind, (tag) => ({
      head: `GET /pattern?seed=${tag}&bytes=${bytes}&every=${every}${framing} HTTP/1.${untilEnd ? 0 : 1}`,
      check: (body) => body.equals(patternOf(tag, bytes)),
      untilEnd,
    }));
  }

  /** @param every milliseconds between the pieces of the body */
  upload(bytes: number, every = 0): Promise<Outcome> {
    return this.#http("upload", (tag) => {
      const body = patternOf(tag, bytes);
      const wanted = JSON.stringify({ bytes, sha256: hashOfBytes(body) });
      return {
        head: `POST /hash HTTP/1.1\r\nContent-Length: ${bytes}`,
        body,
        every,
        check: (answer) => answer.toString() === wanted,
      };
    });
  }

  /** Server-sent events, one each `every` milliseconds. */
  events(count: number, every: number): Promise<Outcome> {
    const wanted = Array.from({ length: count }, (_, event) => `data: ${event}\n\n`).join("");
    return this.#http("events", () => ({
      head: `GET /events?count=${count}&every=${every} HTTP/1.1`,
      check: (body) => body.toString() === wanted,
    }));
  }

  /** Several small requests, one after the other on one connection, which the first failure ends. */
  async keptAlive(requests: number, pause = 0): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const socket = this.#connect(this.#reach.proxyPort);
    const reader = new AnswerReader(socket, this.#patience);
    for (let request = 0; request < requests; request++) {
      const tag = randomUUID();
      const outcome = await judge("kept alive", async () => {
        socket.write(this.#head(`GET /pattern?seed=${tag}&bytes=300 HTTP/1.1`, tag, "keep-alive"));
        await readAnswer(reader, tag, (body) => body.equals(patternOf(tag, 300)));
      });
      outcomes.push(outcome);
      if (outcome.class !== "correct") break;
      if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    }
    socket.destroy();
    return outcomes;
  }

  /** Sends pieces through an upgraded connection, each when the one before has come back. */
  webSocket(pieces: number, bytes: number, pause = 0): Promise<Outcome> {
    return this.#echoed("websocket", this.#reach.proxyPort, pieces, bytes, pause, async (socket, reader, tag) => {
      socket.write(this.#head("GET /echo HTTP/1.1\r\nUpgrade: echo", tag, "upgrade"));
      const { status } = await reader.head(tag);
      if (status !== 101) throw new Bad("corrupt", `an upgrade was answered with ${status}`);
    });
  }

  /** The same through the reverse port. */
  tcp(pieces: number, bytes: number, pause = 0): Promise<Outcome> {
    return this.#echoed("tcp", this.#reach.rawPort, pieces, bytes, pause, (socket) => {
      socket.write(ECHO);
      return Promise.resolve();
    });
  }

  #echoed(
    kind: string,
    port: number,
    pieces: number,
    bytes: number,
    pause: number,
    begin: (socket: Socket, reader: AnswerReader, tag: string) => Promise<void>,
  ): Promise<Outcome> {
    return this.#on(port, kind, async (socket, reader) => {
      const tag = randomUUID();
      await begin(socket, reader, tag);
      for (let piece = 0; piece < pieces; piece++) {
        const sent = patternOf(`${tag}${piece}`, bytes);
        socket.write(sent);
        if (!(await reader.take(bytes, kind === "tcp")).equals(sent)) {
          throw new Bad("corrupt", "other bytes came back than were sent");
        }
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      }
      socket.end();
      await reader.nothingMore();
    });
  }

  #http(
    kind: string,
    make: (tag: string) => {
      head: string;
      body?: Buffer;
      every?: number;
      untilEnd?: boolean;
      check: (body: Buffer) => boolean;
    },
  ): Promise<Outcome> {
    return this.#on(this.#reach.proxyPort, kind, async (socket, reader) => {
      const tag = randomUUID();
      const { head, body, every, untilEnd, check } = make(tag);
      socket.write(this.#head(head, tag, "close"));
      if (body !== undefined) reader.send(body, every);
      await readAnswer(reader, tag, check, untilEnd);
    });
  }

  #head(lines: string, tag: string, connection: string): string {
    return `${lines}\r\nHost: ${this.#reach.host}\r\nX-Tag: ${tag}\r\nConnection: ${connection}\r\n\r\n`;
  }

  #connect(port: number): Socket {
    return connectTo(this.#reach, port);
  }

  async #on(
    port: number,
    kind: string,
    talk: (socket: Socket, reader: AnswerReader) => Promise<void>,
  ): Promise<Outcome> {
    const socket = this.#connect(port);
    const reader = new AnswerReader(socket, this.#patience);
    const outcome = await judge(kind, () => talk(socket, reader));
    socket.destroy();
    return outcome;
  }
}

/** Connects as a caller does: over TLS where that is what the proxy speaks. */
export function connectTo({ proxyPort, ca }: Reach, port = proxyPort): Socket {
  const where = { port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true };
  return ca === undefined || port !== proxyPort
    ? connect(where)
    : connectSecurely({ ...where, ca, servername: "localhost" });
}

async function readAnswer(
  reader: AnswerReader,
  tag: string,
  check: (body: Buffer) => boolean,
  untilEnd = false,
): Promise<void> {
  const { body } = await reader.answer(tag, untilEnd);
  if (!check(body)) throw new Bad("corrupt", `the answer has ${body.length} bytes, and other ones than it has to`);
}

/** What became of a request of this kind, which `talk` is. */
export async function judge(kind: string, talk: () => Promise<void>): Promise<Outcome> {
  const begun = performance.now();
  const outcome = (what: OutcomeClass, detail = ""): Outcome => ({
    class: what,
    kind,
    detail,
    milliseconds: performance.now() - begun,
  });
  try {
    await talk();
    return outcome("correct");
  } catch (error) {
    if (error instanceof Bad) return outcome(error.class, error.message);
    return outcome("corrupt", `the caller failed: ${(error as Error).stack}`);
  }
}
