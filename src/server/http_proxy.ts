import { type BlockList, createServer, isIPv6, type Server, type Socket } from "node:net";
import { plainAddress } from "../platform/address.ts";
import { CallerConnection, type CallerContext } from "./caller_connection.ts";

/** The connections that callers have open, on the HTTP proxy and on the HTTPS proxy. */
export class Callers {
  readonly #context: CallerContext;
  readonly #trusted: BlockList;
  readonly #open = new Set<Socket>();

  constructor(context: CallerContext, trusted: BlockList) {
    this.#context = context;
    this.#trusted = trusted;
  }

  /** Serves HTTP on a connection whose bytes are plain: TCP, or the inside of TLS. */
  serve(socket: Socket, secure: boolean): void {
    const address = plainAddress(socket.remoteAddress);
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    const trusted = address !== "unknown" && this.#trusted.check(address, family);
    this.#open.add(socket);
    socket.on("close", () => this.#open.delete(socket));
    new CallerConnection(socket, { address, port: socket.remotePort ?? 0, secure, trusted }, this.#context);
  }

  endAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** The HTTP proxy; not listening yet. */
export function createHttpProxy(callers: Callers): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => callers.serve(socket, false));
}
