import type { Socket } from "node:net";
import { resetConnection } from "../platform/reset.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import { splice } from "../tunnel/splice.ts";
import type { ExchangeRecord } from "./exchange_record.ts";
import { WebSocketDrain } from "./websocket_drain.ts";

/** What is known of a connection that leaves HTTP (RFC 9110, section 7.8). */
export interface UpgradeFacts {
  /** The caller's connection, to which the 101 has been written. */
  readonly socket: Socket;
  readonly channel: DuplexChannel;
  readonly record: ExchangeRecord;
  readonly webSocket: boolean;
  /** Bytes behind the request, which have not been passed on. */
  readonly callerEarly: Buffer;
  /** Bytes behind the 101, which have been passed on with it. */
  readonly serviceEarly: Buffer;
}

/** A caller's connection and a channel that are one, in another protocol than HTTP. */
export class UpgradedConnection {
  readonly #record: ExchangeRecord;
  readonly #socket: Socket;
  readonly #webSocket: WebSocketDrain | undefined;

  /** @param onOver told once, when the caller's connection is gone */
  constructor(facts: UpgradeFacts, onOver: (connection: UpgradedConnection) => void) {
    const { channel, socket, record } = facts;
    const webSocket = facts.webSocket ? new WebSocketDrain(channel, socket) : undefined;
    this.#record = record;
    this.#socket = socket;
    this.#webSocket = webSocket;
    webSocket?.fromChannel(facts.serviceEarly);
    webSocket?.fromSocket(facts.callerEarly);
    if (facts.callerEarly.length > 0) channel.write(facts.callerEarly);
    const over = (error: string | null) => {
      webSocket?.over();
      record.done(error);
      onOver(this);
    };
    splice(channel, socket, over, undefined, webSocket);
  }

  /** Ends it in order, where its protocol has a way to; other protocols go on until their peers end them. */
  drain(): void {
    this.#webSocket?.drain();
  }

  /** Breaks it off, because of what `code` names. */
  cut(code: string): void {
    this.#record.done(code);
    resetConnection(this.#socket);
  }

  /** It is about to be cut off. */
  serverStops(): void {
    this.#record.done("server-stopped");
  }
}
