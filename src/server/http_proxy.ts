import { type BlockList, createServer, isIPv6, type Server, type Socket } from "node:net";
import { plainAddress } from "../platform/address.ts";
import type { ClientCertificate } from "./access/client_certificate.ts";
import { CallerConnection, type CallerContext } from "./caller_connection.ts";
import type { CallerPlaces } from "./caller_places.ts";
import { refusalBytes, refusals } from "./refusal.ts";
import { KEEP_ALIVE } from "../platform/keep_alive.ts";
import { OpenSet } from "../platform/open_set.ts";

/** A connection of a caller that has a place. */
export interface Entered {
  /** What is ended when others need the place. */
  socket: Socket;
  /** Whether it has sent the head of a request: then it keeps its place. */
  hasAsked(): boolean;
  /** Gives the place back; may be called again. */
  leave(): void;
}

/** The connections that callers have open, on the HTTP proxy and on the HTTPS proxy. */
export class Callers {
  readonly #context: CallerContext;
  readonly #places: CallerPlaces;
  readonly #open = new OpenSet<Socket>();
  readonly #connections = new Map<Socket, CallerConnection>();
  #draining = false;
  #leaving = false;

  constructor(context: CallerContext, places: CallerPlaces) {
    this.#context = context;
    this.#places = places;
  }

  /** Takes in a connection that has said nothing yet; undefined where there is no place for it. */
  enter(socket: Socket): Entered | undefined {
    const entered: Entered = { socket, hasAsked: () => false, leave: () => {} };
    const place = this.#places.take(socket, () => !entered.hasAsked(), () => entered.socket.destroy());
    if (place === undefined) return undefined;
    entered.leave = () => place.leave();
    return entered;
  }

  /** Serves HTTP on a connection whose bytes are plain: TCP, or the inside of TLS. */
  serve(socket: Socket, secure: boolean, entered: Entered, certificate?: ClientCertificate): void {
    entered.socket = socket;
    socket.setKeepAlive(true, KEEP_ALIVE);
    const address = plainAddress(socket.remoteAddress);
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    const trusted = address !== "unknown" && this.#places.trusted.check(address, family);
    this.#open.add(socket);
    socket.on("close", () => {
      this.#connections.delete(socket);
      this.#open.delete(socket);
      // TLS: the socket that came in may be another object, and never close.
      entered.leave();
    });
    const peer = {
      address,
      port: socket.remotePort ?? 0,
      secure,
      trusted,
      ...(trusted ? { proxies: this.#places.trusted } : {}),
      ...(certificate === undefined ? {} : { certificate }),
    };
    const connection = new CallerConnection(socket, peer, this.#context);
    this.#connections.set(socket, connection);
    entered.hasAsked = () => connection.hasAsked;
    if (this.#draining) connection.drain();
    else if (this.#leaving) connection.leave();
  }

  get size(): number {
    return this.#open.size;
  }

  /** Load balancers whose word is taken for where a caller comes from. */
  set trusted(list: BlockList) {
    this.#places.trusted = list;
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
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const entered = callers.enter(socket);
    if (entered === undefined) turnAway(socket);
    else callers.serve(socket, false, entered);
  });
}
