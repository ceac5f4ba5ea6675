import { createServer, type Server, type Socket } from "node:net";
import type { ServerConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { ExchangeObserver } from "../observe/exchange_report.ts";
import { plainAddress } from "../platform/address.ts";
import { KEEP_ALIVE } from "../platform/keep_alive.ts";
import { whenAccepting } from "../platform/handed_sockets.ts";
import { closeListener, listen } from "../platform/listen.ts";
import { OpenSet } from "../platform/open_set.ts";
import { resetConnection } from "../platform/reset.ts";
import type { Registration } from "../registry/registry.ts";
import type { Hold } from "./hold.ts";
import type { AccessRules } from "./access/access_rules.ts";
import type { CallerPlaces } from "./caller_places.ts";
import { RAW_SHARE, RawCaller } from "./raw_caller.ts";
import { refusals } from "./refusal.ts";
import { Room } from "./room.ts";
import { partOf, type Tunnels } from "./tunnels.ts";

/** The settings that matter to reverse ports, read anew each time. */
export type PortSettings =
  & Pick<ServerConfig, "openTimeout" | "holdFor" | "keepPortFor" | "connectionTimeout">
  & {
    readonly ssh: Pick<ServerConfig["ssh"], "gatewayPorts" | "maxChannels">;
  };

export interface ReversePortsParts {
  readonly tunnels: Tunnels;
  readonly hold: Hold;
  readonly access: AccessRules;
  readonly config: PortSettings;
  readonly log: Log;
  readonly observer: ExchangeObserver;
  readonly places: CallerPlaces;
}

interface ReversePort {
  readonly server: Server;
  readonly host: string;
  /** Those that were let in, by their connections. */
  readonly callers: Map<Socket, RawCaller>;
  readonly room: Room;
  /** Closes it; undefined while a tunnel serves it. */
  closing: NodeJS.Timeout | undefined;
}

/** Milliseconds between two attempts to open a port that another program has. */
const AGAIN_AFTER = 10_000;

/**
 * The raw ports, one for each registration: every byte of a caller goes to the service as it is. A port stays open for a while when its
 * tunnel is away: callers wait for the tunnel as those of the HTTP proxy do, and no other program gets the port meanwhile. A client that stays
 * away longer is seen to be: connections are refused.
 */
export class ReversePorts {
  readonly #parts: ReversePortsParts;
  readonly #open = new Map<string, ReversePort>();
  readonly #callers = new OpenSet<Socket>();
  /** Attempts to open ports that other programs have. */
  readonly #later = new Map<string, NodeJS.Timeout>();
  #draining = false;

  constructor(parts: ReversePortsParts) {
    this.#parts = parts;
  }

  /** Opens the ports of registrations whose clients are still to come back. What cannot be opened is logged. */
  async reopen(registrations: Iterable<Registration>): Promise<void> {
    const { holdFor, keepPortFor } = this.#parts.config;
    if (holdFor === 0 || keepPortFor === 0) return;
    for (const registration of registrations) {
      const { id, port, bindAddress } = registration;
      if (bindAddress === null) continue;
      try {
        await this.open(registration, bindAddress);
        whenAccepting(() => this.#parts.tunnels.of(id) === undefined && this.away(id));
      } catch (error) {
        this.#parts.log.error({ id, port, code: (error as PetitError).code }, messageOf(error));
      }
    }
  }

  /** Tries again and again to open a port that could not be opened, as long as a tunnel serves it and nothing else has. */
  openLater(registration: Registration, address: string): void {
    const { id, port } = registration;
    clearTimeout(this.#later.get(id));
    const timer = setTimeout(() => {
      this.#later.delete(id);
      if (this.#draining || this.#open.has(id) || this.#parts.tunnels.of(id) === undefined) return;
      this.open(registration, address).then(
        () => this.#parts.log.info({ id, port }, `Reverse port ${port} is open now`),
        () => this.openLater(registration, address),
      );
    }, AGAIN_AFTER);
    timer.unref();
    this.#later.set(id, timer);
  }

  /**
   * Opens the port of a registration, or leaves it open for a tunnel that takes over.
   *
   * @param address as its client asks for it; where it is heeded is up to [server.ssh] gatewayPorts
   * @throws PetitError as `listen`
   */
  async open(registration: Registration, address: string): Promise<void> {
    const { id, port } = registration;
    const host = this.#parts.config.ssh.gatewayPorts === "clientspecified" ? requestedHost(address) : "127.0.0.1";
    const already = this.#open.get(id);
    clearTimeout(already?.closing);
    if (already !== undefined) already.closing = undefined;
    if (already?.host === host) return;
    if (already) this.#shut(id, already);
    const callers = new Map<Socket, RawCaller>();
    const room = new Room();
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      this.#callers.add(socket);
      socket.on("close", () => {
        callers.delete(socket);
        this.#callers.delete(socket);
      });
      this.#accept(registration, socket, room, callers);
    });
    this.#open.set(id, { server, host, callers, room, closing: undefined });
    try {
      await listen(server, host, port, "another program's setting", true);
    } catch (error) {
      if (this.#open.get(id)?.server === server) this.#open.delete(id);
      throw error;
    }
    // It may have been closed while it was being opened.
    if (this.#open.get(id)?.server !== server) closeListener(server);
    server.on(
      "error",
      (error) => this.#parts.log.warn({ id, code: "reverse-port" }, `Reverse port ${port}: ${messageOf(error)}`),
    );
  }

  /** No tunnel serves the registration any more. Its callers go with the channels that they have. */
  away(id: string): void {
    const { holdFor, keepPortFor } = this.#parts.config;
    const open = this.#open.get(id);
    if (holdFor === 0 || keepPortFor === 0 || this.#draining) return this.#stopListening(id);
    if (open === undefined) return;
    clearTimeout(open.closing);
    open.closing = setTimeout(() => {
      if (this.#parts.tunnels.of(id) === undefined) this.#stopListening(id);
    }, keepPortFor);
    open.closing.unref();
  }

  /** Closes the port of a registration that is gone, with all that is connected to it. */
  close(id: string): void {
    const open = this.#open.get(id);
    if (open) this.#shut(id, open);
  }

  /** Takes no more callers, on any port. */
  stopListening(): void {
    this.#draining = true;
    for (const id of [...this.#open.keys()]) this.#stopListening(id);
  }

  /** How many ports are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Settles when no caller is left. */
  drained(): Promise<void> {
    return this.#callers.empty();
  }

  closeAll(): void {
    for (const [id, open] of this.#open) this.#shut(id, open);
    for (const socket of this.#callers) resetConnection(socket);
  }

  #stopListening(id: string): void {
    const open = this.#open.get(id);
    clearTimeout(open?.closing);
    if (open !== undefined) closeListener(open.server);
    this.#open.delete(id);
  }

  #shut(id: string, open: ReversePort): void {
    clearTimeout(open.closing);
    this.#open.delete(id);
    closeListener(open.server);
    // Their streams were not over: an orderly end would make them look whole.
    for (const socket of open.callers.keys()) resetConnection(socket);
  }

  /** Somebody has changed who may call: whoever may not any more is cut off. */
  recheck(): void {
    for (const [id, { callers }] of this.#open) {
      const rule = this.#parts.access.of(id);
      for (const caller of callers.values()) {
        if (!rule.allowsRaw(caller.peer.address)) caller.turnAway(refusals.accessRevoked.code, false);
      }
    }
  }

  #accept(registration: Registration, socket: Socket, room: Room, callers: ReversePort["callers"]): void {
    const { observer, config, access, places } = this.#parts;
    const peer = {
      address: plainAddress(socket.remoteAddress),
      port: socket.remotePort ?? 0,
      secure: false,
      trusted: false,
    };
    const caller = new RawCaller(socket, peer, registration, observer, this.#parts);
    const rule = access.of(registration.id);
    // First: whoever is not let in takes nobody's place.
    if (!rule.allowsRaw(peer.address)) {
      const { code } = refusals.callerNotAllowed;
      access.onRefused({ id: registration.id, code, address: peer.address, kind: "tcp" });
      return caller.turnAway(code, true);
    }
    // Where one of both has said nothing yet, nothing is lost.
    const isIdle = () => socket.bytesRead === 0 || socket.bytesWritten === 0;
    const max = Math.min(partOf(config.ssh.maxChannels, RAW_SHARE), rule.settings.maxRawCallers);
    if (!places.take(socket, isIdle, () => resetConnection(socket), { room, max })) return resetConnection(socket);
    socket.setKeepAlive(true, KEEP_ALIVE);
    callers.set(socket, caller);
    caller.start();
  }
}

/** The address that a client asks to listen on (RFC 4254, section 7.1). */
function requestedHost(address: string): string {
  if (address === "" || address === "0.0.0.0" || address === "::" || address === "*") return "*";
  return address === "localhost" ? "127.0.0.1" : address;
}
