import { readFileSync } from "node:fs";
import { createServer, type Server as NetServer } from "node:net";
import { encodeMessage, MessageDecoder } from "../../src/tunnel/message_stream.ts";
import type { Registered, ServerMessage } from "../../src/tunnel/messages.ts";
import { type Connection, Server } from "../../src/tunnel/ssh_library.ts";
import { listenOn, type Scope, type TestClient, type TestServer } from "./world.ts";

/** What a server asks a client for: a channel to `address:port` of which it says that `origin` called. */
export interface Wanted {
  readonly address: string;
  readonly port: number;
  readonly origin?: string;
  readonly originPort?: number;
}

/** A server that has the host key of a petit server, and does to its client whatever a test tells it to. */
export class HostileServer {
  /** Settles with the address and port of each forward that the client asked for, in their order. */
  readonly forwards: { bindAddr: string; bindPort: number }[] = [];
  /** All messages that came on the backchannel. */
  readonly messages: { type: string; [key: string]: unknown }[] = [];
  /** What it claims to know of the client's registrations, beside what is so. */
  readonly claims: Registered[] = [];
  /** False: it does not answer on the backchannel any more. */
  answers = true;
  /** What it answers to a handshake, in place of what a petit server would. */
  shakehand: (usual: ServerMessage) => object = (usual) => usual;
  /** False: it does not hear when a forward is taken back. */
  hears = true;
  readonly #listener: NetServer;
  readonly #connections: Connection[] = [];
  readonly #backchannels: { write(bytes: Buffer): unknown }[] = [];

  /** Stands in for `server`, which has been stopped. */
  static async inPlaceOf(scope: Scope, server: TestServer, ...clients: TestClient[]): Promise<HostileServer> {
    const hostile = new HostileServer(server, clients);
    scope.after(() => hostile.#end());
    await listenOn(hostile.#listener, server.config.server.ssh.port);
    return hostile;
  }

  private constructor(server: TestServer, clients: readonly TestClient[]) {
    const ssh = new Server(
      { hostKeys: [readFileSync(server.config.server.ssh.hostKey)], ident: "petit_9.9.9" },
      (connection) => this.#serve(connection, clients),
    );
    this.#listener = createServer((socket) => ssh.injectSocket(socket));
  }

  /** Says something on the backchannel, unasked. */
  say(message: ServerMessage | object): void {
    for (const backchannel of this.#backchannels) backchannel.write(encodeMessage(message));
  }

  /** Asks for a channel; what comes of it, in words: "open", or the refusal. */
  open({ address, port, origin = "192.0.2.1", originPort = 4711 }: Wanted): Promise<string> {
    return new Promise((resolve) => {
      const connection = this.#connections.at(-1) as Connection;
      // deno-lint-ignore no-explicit-any
      (connection as any).forwardOut(address, port, origin, originPort, (error: Error | undefined, channel: any) => {
        channel?.on("error", () => {}).resume();
        resolve(error ? error.message : "open");
      });
    });
  }

  /** Asks for a channel of another kind. */
  openOther(kind: "x11" | "streamlocal"): Promise<string> {
    return new Promise((resolve) => {
      const connection = this.#connections.at(-1) as Connection;
      const done = (error?: Error) => resolve(error ? error.message : "open");
      if (kind === "x11") connection.x11("192.0.2.1", 6000, done);
      else connection.openssh_forwardOutStreamLocal("/var/run/docker.sock", done);
    });
  }

  #serve(connection: Connection, clients: readonly TestClient[]): void {
    this.#connections.push(connection);
    connection.on("error", () => {});
    connection.on("authentication", (context) => context.accept());
    connection.on("request", (accept, _reject, name, info) => {
      if (name === "tcpip-forward") this.forwards.push(info as { bindAddr: string; bindPort: number });
      if (this.hears || name !== "cancel-tcpip-forward") accept?.();
    });
    connection.on("tcpip", (accept) => {
      const channel = accept();
      const decoder = new MessageDecoder();
      this.#backchannels.push(channel);
      channel.on("data", (bytes: Buffer) => {
        for (const message of decoder.take(bytes) as { type: string }[]) {
          this.messages.push(message);
          if (message.type === "handshake1" && this.answers) {
            channel.write(encodeMessage(this.shakehand(this.#shakehand(clients))));
          }
        }
      });
    });
  }

  #end(): void {
    for (const connection of this.#connections) connection.end();
    this.#listener.close();
  }

  #shakehand(clients: readonly TestClient[]): ServerMessage {
    const vitae = { environment: "hostile", endpoint: "http://REGID", version: "0" };
    return {
      type: "shakehand1",
      registrations: [...clients.map(({ registered }) => registered), ...this.claims],
      vitae,
    };
  }
}
