import { createServer, type Socket } from "node:net";
import { listenOn, type Scope } from "../../world/world.ts";
import { serveVerifiably } from "./verifying_service.ts";

/** A verifying service in this process that can close and open its port. */
export class FlappingService {
  port = 0;
  #server = createServer();
  readonly #sockets = new Set<Socket>();

  static async start(scope: Scope): Promise<FlappingService> {
    const service = new FlappingService();
    scope.after(() => service.close());
    await service.open();
    return service;
  }

  async open(): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      serveVerifiably(socket);
    });
    this.port = await listenOn(this.#server, this.port);
  }

  /** Refuses connections, and breaks off those that stand. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
