import { type BlockList, createServer, isIPv6, type Server, type Socket } from "node:net";
import { plainAddress } from "../platform/address.ts";
import type { ClientCertificate } from "./access/client_certificate.ts";
import { CallerConnection, type CallerContext } from "./caller_connection.ts";
import { refusalBytes, refusals } from "./refusal.ts";
import { KEEP_ALIVE } from "../platform/keep_alive.ts";
import { OpenSet } from "../platform/open_set.ts";

/** The connections that callers have open, on the HTTP proxy and on the HTTPS proxy. */
export class Callers {
  readonly #context: CallerContext;
  #trusted: BlockList;
  readonly #open = new OpenSet<Socket>();
  readonly #connections = new Map<Socket, CallerConnection>();
  /** How many callers there are on other ports. */
  others: () => number = () => 0;
  #draining = false;
  #leaving = false;

  constructor(context: CallerContext, trusted: BlockList) {
    this.#context = context;
    this.#trusted = trusted;
  }

  /** Serves HTTP on a connection whose bytes are plain: TCP, or the inside of TLS. */
  serve(socket: Socket, secure: boolean, certificate?: ClientCertificate): void {
    if (this.#open.size + this.others() >= this.#context.limits.maxCallers) return turnAway(socket);
    socket.setKeepAlive(true, KEEP_ALIVE);
    const address = plainAddress(socket.remoteAddress);
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    const trusted = address !== "unknown" && this.#trusted.check(address, family);
    this.#open.add(socket);
    socket.on("close", () => {
      this.#connections.delete(socket);
      this.#open.delete(socket);
    });
    const peer = {
      address,
      port: socket.remotePort ?? 0,
      secure,
      trusted,
      ...(trusted ? { proxies: this.#trusted } : {}),
      ...(certificate === undefined ? {} : { certificate }),
    };
    const connection = new CallerConnection(socket, peer, this.#context);
    this.#connections.set(socket, connection);
    if (this.#draining) connection.drain();
    else if (this.#leaving) connection.leave();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Load balancers whose word is taken for where a caller comes from. */
  set trusted(list: BlockList) {
    this.#trusted = list;
  }

  /** Somebody has changed who may call: whoever may not any more is cut off. */
  recheck(): void {
    for (const connection of this.#connections.values()) connection.recheck();
  }

  /** Closes what is idle, and the others after the answer that they wait for; settles when all are closed. */
  drain(): Promise<void> {
    this.#draining = true;
    for (const connection of this.#connections.values()) connection.drain();
    return this.#open.empty();
  }

  /** A successor takes the new connections: those that are here are served once more each, and closed when they stay idle. */
  leave(): void {
    this.#leaving = true;
    for (const connection of this.#connections.values()) connection.leave();
  }

  /** The same as `drain` for connections that have been told to leave. */
  left(): Promise<void> {
    return this.#open.empty();
  }

  endAll(): void {
    for (const connection of this.#connections.values()) connection.serverStops();
    for (const socket of this.#open) socket.destroy();
  }
}

/** Says why, without reading what the caller wants. */
function turnAway(socket: Socket): void {
  socket.on("error", () => {});
  socket.end(refusalBytes(refusals.serverBusy, { close: true, withoutBody: false, request: "-" }));
  socket.destroySoon();
}

/** The HTTP proxy; not listening yet. */
export function createHttpProxy(callers: Callers): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => callers.serve(socket, false));
}
