import { connect, type Socket } from "node:net";
import { messageOf } from "../../error.ts";
import type { ListeningSocket } from "../../platform/listening_sockets.ts";
import { resetConnection } from "../../platform/reset.ts";
import type { DuplexChannel } from "../../tunnel/duplex_channel.ts";
import { SocketChannel } from "../../tunnel/socket_channel.ts";
import type { TunnelConnection } from "../tunnel_connection.ts";
import { SshdLink } from "./sshd_link.ts";

/** Who is told of what becomes of a tunnel. */
export interface SshdTunnelEvents {
  /** Whether what listened there when it was found listens still. */
  listens(): Promise<boolean>;
  /** Nothing listens there any more. */
  gone(tunnel: SshdTunnel): void;
  /** Its client is about to end it, for the reason given. */
  foreseen(tunnel: SshdTunnel, why: string): void;
  /** It is to end, for the reason given. */
  end(tunnel: SshdTunnel, why: string): void;
}

/** Numbers of connections to sshd's listeners, for logs. */
let count = 0;

/**
 * The way to one registration whose tunnel the system's sshd terminates: sshd listens on its reverse port, and each connection there is a channel
 * to the client.
 */
export class SshdTunnel implements TunnelConnection {
  readonly listener: ListeningSocket;
  /** Whoever connects has reached sshd, and does not know yet what the client does with it. */
  readonly opensAtService = false;
  readonly link: SshdLink;
  opening = 0;
  readonly #events: SshdTunnelEvents;
  readonly #sockets = new Set<Socket>();

  constructor(listener: ListeningSocket, link: SshdLink, events: SshdTunnelEvents) {
    this.listener = listener;
    this.link = link;
    this.#events = events;
  }

  open(): Promise<DuplexChannel> {
    const { link, listener: { host, port } } = this;
    return new Promise((resolve, reject) => {
      if (!link.standing) return reject(new Error("the tunnel is gone"));
      this.opening++;
      link.channels++;
      const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
      this.#sockets.add(socket);
      let settled = false;
      const refuse = (error: unknown) => {
        if (settled) return;
        settled = true;
        this.opening--;
        this.stop();
        socket.destroy();
        this.#events.gone(this);
        reject(new Error(messageOf(error), { cause: error }));
      };
      const accept = () => {
        if (settled) return;
        settled = true;
        this.opening--;
        resolve(new SocketChannel(socket, ++count, () => link.bytesAt = performance.now()));
      };
      socket.once("connect", () => {
        // Between two looks, another program can have taken the port.
        this.#events.listens().then(
          (listens) => listens ? accept() : refuse(new Error("sshd does not listen there any more")),
          refuse,
        );
      });
      socket.once("error", refuse);
      socket.once("close", () => {
        if (this.#sockets.delete(socket)) link.channels--;
      });
    });
  }

  /** No more callers are sent there. Those that are there go on. */
  stop(): void {
    this.link.standing = false;
  }

  /** Breaks off what goes through it. */
  cut(): void {
    this.stop();
    for (const socket of this.#sockets) resetConnection(socket);
  }

  foresee(why: string): void {
    this.#events.foreseen(this, why);
  }

  end(why: string): void {
    this.#events.end(this, why);
  }

  destroy(why: string): void {
    this.#events.end(this, why);
  }
}
