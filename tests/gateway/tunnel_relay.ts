import { connect, createServer, type Socket } from "node:net";
import { listenOn, type Scope } from "../world/world.ts";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  silent: boolean;
}

/** A relay in front of a gateway, for faults that neither side makes itself. */
export class TunnelRelay {
  port = 0;
  #pairs = new Set<Pair>();
  #damage: "client" | "server" | undefined;

  static async to(scope: Scope, gateway: number): Promise<TunnelRelay> {
    const relay = new TunnelRelay();
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => relay.#accept(client, gateway));
    relay.port = await listenOn(listener);
    scope.after(() => {
      relay.#each(({ client, server }) => (client.destroy(), server.destroy()));
      listener.close();
    });
    return relay;
  }

  #accept(client: Socket, gateway: number): void {
    const server = connect({ port: gateway, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    const pair: Pair = { client, server, silent: false };
    this.#pairs.add(pair);
    for (const [from, to, side] of [[client, server, "client"], [server, client, "server"]] as const) {
      from.on("data", (bytes: Buffer) => {
        if (pair.silent) return;
        if (this.#damage === side) {
          this.#damage = undefined;
          const last = bytes.length - 1;
          bytes.writeUInt8(bytes.readUInt8(last) ^ 1, last);
        }
        if (to.writable) to.write(bytes);
      });
      from.on("end", () => to.end());
      from.on("error", () => {});
      from.on("close", () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
  }

  #each(work: (pair: Pair) => void): void {
    for (const pair of this.#pairs) work(pair);
  }

  /** Passes nothing on any more of the connections that there are; new ones are not concerned. */
  silence(): void {
    this.#each((pair) => pair.silent = true);
  }

  /** Damages the next bytes that come from one side. */
  damageNext(from: "client" | "server"): void {
    this.#damage = from;
  }

  /** Resets both sides. */
  reset(): void {
    this.#each(({ client, server }) => (client.resetAndDestroy(), server.resetAndDestroy()));
  }

  /** Ends both sides in order, as TCP sees it, without a word of SSH. */
  end(): void {
    this.#each(({ client, server }) => (client.end(), server.end()));
  }
}
