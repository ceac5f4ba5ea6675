import type { Socket } from "node:net";
import { RawPeer } from "./raw_peer.ts";

/** A service whose side of each connection is played by the test: pass `accept` to makeWorld. */
export class RawService {
  /** All connections so far. */
  readonly connections: RawPeer[] = [];
  #taken = 0;
  #waiting: (() => void)[] = [];

  readonly accept = (socket: Socket): void => {
    this.connections.push(new RawPeer(socket));
    for (const resolve of this.#waiting.splice(0)) resolve();
  };

  /** The next connection, made already or still to come. */
  async next(): Promise<RawPeer> {
    const index = this.#taken++;
    while (this.connections.length <= index) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.connections[index] as RawPeer;
  }
}

/** A service that answers each request without a body with `answer`, and keeps its connections. */
export class AnsweringService {
  /** The heads of the requests, in the order of their coming. */
  readonly heads: string[] = [];
  connections = 0;
  readonly #answer: (head: string, connection: RawPeer) => string;

  constructor(answer: string | ((head: string, connection: RawPeer) => string)) {
    this.#answer = typeof answer === "string" ? () => answer : answer;
  }

  readonly accept = (socket: Socket): void => {
    this.connections++;
    const peer = new RawPeer(socket);
    socket.on("end", () => socket.end());
    socket.on("data", () => {
      for (let end = peer.received.indexOf("\r\n\r\n"); end >= 0; end = peer.received.indexOf("\r\n\r\n")) {
        const head = peer.received.slice(0, end + 4);
        peer.received = peer.received.slice(end + 4);
        this.heads.push(head);
        peer.send(this.#answer(head, peer));
      }
    });
  };
}
