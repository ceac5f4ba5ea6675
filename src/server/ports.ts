import { createServer, type Server, type Socket } from "node:net";
import type { ServerConfig } from "../config/schema.ts";
import { messageOf, PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { ExchangeObserver } from "../observe/exchange_report.ts";
import { plainAddress } from "../platform/address.ts";
import { listen } from "../platform/listen.ts";
import { OpenSet } from "../platform/open_set.ts";
import { resetConnection } from "../platform/reset.ts";
import type { Registration } from "../registry/registry.ts";
import { splice } from "../tunnel/splice.ts";
import { ExchangeRecord } from "./exchange_record.ts";
import type { Served, Tunnels } from "./tunnels.ts";

interface ReversePort {
  readonly server: Server;
  readonly host: string;
  readonly callers: Set<Socket>;
}

/** The raw ports, one for each registration that has a tunnel: every byte of a caller goes to the service as it is. */
export class ReversePorts {
  readonly #tunnels: Tunnels;
  readonly #config: Pick<ServerConfig, "openTimeout">;
  readonly #log: Log;
  readonly #observer: ExchangeObserver;
  readonly #open = new Map<string, ReversePort>();
  readonly #callers = new OpenSet<Socket>();

  /** @param config read anew for each caller: a reload changes it */
  constructor(tunnels: Tunnels, config: Pick<ServerConfig, "openTimeout">, log: Log, observer: ExchangeObserver) {
    this.#tunnels = tunnels;
    this.#config = config;
    this.#log = log;
    this.#observer = observer;
  }

  /** Opens the port of a registration on `host`, or leaves it open for a tunnel that takes over. */
  async open(served: Served, host: string): Promise<void> {
    const { id, port } = served.registration;
    const already = this.#open.get(id);
    if (already?.host === host) return;
    if (already) this.#shut(id, already);
    const callers = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      callers.add(socket);
      this.#callers.add(socket);
      socket.on("close", () => {
        callers.delete(socket);
        this.#callers.delete(socket);
      });
      this.#accept(served.registration, socket);
    });
    this.#open.set(id, { server, host, callers });
    try {
      await listen(server, host, port, "another program's setting");
    } catch (error) {
      if (this.#open.get(id)?.server === server) this.#open.delete(id);
      throw error;
    }
    // The tunnel may have gone while the port was being opened.
    if (this.#open.get(id)?.server !== server) server.close();
    server.on(
      "error",
      (error) => this.#log.warn({ id, code: "reverse-port" }, `Reverse port ${port}: ${messageOf(error)}`),
    );
  }

  /** Closes the port of a registration whose tunnel is gone. */
  close(id: string): void {
    const open = this.#open.get(id);
    if (open) this.#shut(id, open);
  }

  /** Takes no more callers for a registration; those that are there go on until they end, or their tunnel does. */
  drain(id: string): void {
    this.#open.get(id)?.server.close();
    this.#open.delete(id);
  }

  /** The same for all; settles when no caller is left. */
  drainAll(): Promise<void> {
    for (const id of [...this.#open.keys()]) this.drain(id);
    return this.#callers.empty();
  }

  closeAll(): void {
    for (const [id, open] of this.#open) this.#shut(id, open);
  }

  #shut(id: string, open: ReversePort): void {
    this.#open.delete(id);
    open.server.close();
    // Their streams were not over: an orderly end would make them look whole.
    for (const socket of open.callers) resetConnection(socket);
  }

  #accept(registration: Registration, socket: Socket): void {
    const served = this.#tunnels.of(registration.id);
    const peer = {
      address: plainAddress(socket.remoteAddress),
      port: socket.remotePort ?? 0,
      secure: false,
      trusted: false,
    };
    const record = new ExchangeRecord(this.#observer, peer, performance.now());
    record.kind = "tcp";
    record.registration = registration;
    let gone = false;
    socket.on("error", () => gone = true);
    socket.on("close", () => gone = true);
    if (served === undefined) {
      record.done("tunnel-away");
      resetConnection(socket);
      return;
    }
    served.open(peer.address, peer.port, this.#config.openTimeout).then(
      (channel) => {
        if (gone) {
          channel.close();
          return record.done("caller-left");
        }
        record.join(channel, "tcp");
        splice(channel, socket, (error) => record.done(error));
      },
      (error) => {
        record.cause = messageOf(error);
        record.done(error instanceof PetitError ? error.code : "internal");
        resetConnection(socket);
      },
    );
  }
}
