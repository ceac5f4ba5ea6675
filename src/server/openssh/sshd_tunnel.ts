import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { messageOf } from "../../error.ts";
import type { ListeningSocket } from "../../platform/listening_sockets.ts";
import type { DuplexChannel } from "../../tunnel/duplex_channel.ts";
import { SocketChannel } from "../../tunnel/socket_channel.ts";
import type { TunnelConnection, TunnelLink } from "../tunnel_connection.ts";
import type { ClientSession } from "./client_session.ts";

/** What a tunnel asks of whoever made it. */
export interface SshdTunnelParts {
  /** The backchannel of its client; undefined where it has none, such as plain ssh. */
  session(): ClientSession | undefined;
  /** When sshd was last seen to listen for it, in milliseconds of `performance.now()`. */
  seen(): number;
  /** Nothing listens there any more. */
  gone(tunnel: SshdTunnel): void;
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
  readonly link: TunnelLink;
  opening = 0;
  readonly #parts: SshdTunnelParts;
  readonly #sockets = new Set<Socket>();
  #name = randomBytes(8).toString("hex");
  #standing = true;
  /** When bytes came from the service last. */
  #heard = -Infinity;

  constructor(listener: ListeningSocket, parts: SshdTunnelParts) {
    this.listener = listener;
    this.#parts = parts;
    this.link = this.#makeLink();
  }

  #makeLink(): TunnelLink {
    const session = () => this.#parts.session();
    const heard = () => this.#heard;
    const standing = () => this.#standing;
    const { seen } = this.#parts;
    const channels = () => this.#sockets.size;
    // Remembered: the backchannel may be gone before the tunnel is.
    const name = () => this.#name = session()?.tunnelId ?? this.#name;
    return {
      get tunnelId() {
        return name();
      },
      get channels() {
        return channels();
      },
      // What a service sends shows that callers' bytes went there, or could.
      get answered() {
        return Math.max(heard(), session()?.answered ?? -Infinity);
      },
      get asked() {
        return session()?.asked ?? -Infinity;
      },
      get pinged() {
        return session()?.pinged ?? performance.now();
      },
      wire: {
        get writable() {
          return standing();
        },
        // Where the client says nothing itself, that sshd holds its port open is what is known of it.
        get lastReceived() {
          return Math.max(heard(), session()?.heard ?? seen());
        },
      },
      ping: () => session()?.ping(),
    };
  }

  open(
    _address: string,
    _port: number,
    _originAddress: string,
    _originPort: number,
    onFirst?: (error?: string) => void,
  ): Promise<DuplexChannel> {
    const { host, port } = this.listener;
    return new Promise((resolve, reject) => {
      if (!this.#standing) return reject(new Error("the tunnel is gone"));
      this.opening++;
      const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
      this.#sockets.add(socket);
      let open = false;
      let told = onFirst === undefined;
      const tell = (error?: string) => {
        if (!told) onFirst?.(error);
        told = true;
      };
      socket.once("connect", () => {
        this.opening--;
        open = true;
        const channel = new SocketChannel(socket, ++count, () => {
          this.#heard = performance.now();
          if (!told) tell();
        });
        // Without a byte: that is how sshd tells of a client that has not reached its service.
        socket.once("end", () => channel.bytesIn === 0 && tell("The connection was closed before anything came of it"));
        resolve(channel);
      });
      socket.once("error", (error) => {
        if (open) return;
        this.opening--;
        this.stop();
        this.#parts.gone(this);
        reject(new Error(messageOf(error), { cause: error }));
      });
      socket.once("close", () => this.#sockets.delete(socket));
    });
  }

  /** No more callers are sent there. Those that are there go on. */
  stop(): void {
    this.#standing = false;
  }

  /** Breaks off what goes through it. */
  cut(): void {
    this.stop();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  end(why: string): void {
    this.#parts.end(this, why);
  }

  destroy(why: string): void {
    this.#parts.end(this, why);
  }
}
