import { createServer, type Server, type Socket } from "node:net";
import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { plainAddress } from "../platform/address.ts";
import { listen } from "../platform/listen.ts";
import { resetConnection } from "../platform/reset.ts";
import { splice } from "../tunnel/splice.ts";
import type { Served, Tunnels } from "./tunnels.ts";

interface ReversePort {
  readonly server: Server;
  readonly host: string;
  readonly callers: Set<Socket>;
}

/** The raw ports, one for each registration that has a tunnel: every byte of a caller goes to the service as it is. */
export class ReversePorts {
  readonly #tunnels: Tunnels;
  readonly #openTimeout: number;
  readonly #log: Log;
  readonly #noise: OnceAMinute;
  readonly #open = new Map<string, ReversePort>();

  constructor(tunnels: Tunnels, openTimeout: number, log: Log, noise: OnceAMinute) {
    this.#tunnels = tunnels;
    this.#openTimeout = openTimeout;
    this.#log = log;
    this.#noise = noise;
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
      socket.on("close", () => callers.delete(socket));
      this.#accept(id, socket);
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

  closeAll(): void {
    for (const [id, open] of this.#open) this.#shut(id, open);
  }

  #shut(id: string, open: ReversePort): void {
    this.#open.delete(id);
    open.server.close();
    for (const socket of open.callers) socket.destroy();
  }

  #accept(id: string, socket: Socket): void {
    const served = this.#tunnels.of(id);
    let gone = false;
    socket.on("error", () => gone = true);
    socket.on("close", () => gone = true);
    if (served === undefined) {
      resetConnection(socket);
      return;
    }
    served.open(plainAddress(socket.remoteAddress), socket.remotePort ?? 0, this.#openTimeout).then(
      (channel) => {
        if (gone) channel.close();
        else splice(channel, socket);
      },
      (error) => {
        this.#noise.tell(
          `port ${id}`,
          (repeated) =>
            this.#log.warn(
              { id, code: error.code, repeated },
              `A connection to reverse port ${served.port} was not answered: ${messageOf(error)}`,
            ),
        );
        resetConnection(socket);
      },
    );
  }
}
