import { readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeMessage, MessageDecoder } from "../../src/tunnel/message_stream.ts";
import { BACKCHANNEL, type ClientVitae, HANDSHAKE_VERSION } from "../../src/tunnel/messages.ts";
import { Client, utils } from "../../src/tunnel/ssh_library.ts";
import type { Scope, TestClient, TestServer } from "./world.ts";

const VITAE: ClientVitae = { brand: "ce", version: "1.0.0" };

/** How a login ended: "ready", or the message of the error. */
export type LoginResult = "ready" | string;

/** An SSH client that is not petit's: it asks for whatever a test tells it to. */
export class SshPeer {
  readonly client = new Client();
  /** Settles when the connection is gone. */
  readonly closed: Promise<void>;

  constructor(scope: Scope) {
    scope.after(() => this.client.destroy());
    this.closed = new Promise((resolve) => this.client.on("close", () => resolve()));
  }

  /** Logs in with the methods given, in their order. */
  login(server: TestServer, user: string, methods: object[]): Promise<LoginResult> {
    return new Promise((resolve) => {
      let failure = "closed";
      this.client.on("ready", () => resolve("ready"));
      this.client.on("error", (error) => failure = error.message);
      this.client.on("close", () => resolve(failure));
      this.client.connect({
        host: "127.0.0.1",
        port: server.running.sshPort,
        username: user,
        authHandler: methods.map((method) => ({ username: user, ...method })) as never,
      });
    });
  }

  /** Asks for a remote forward; the port that was opened, or the message of the refusal. */
  forward(address: string, port: number): Promise<number | string> {
    return new Promise((resolve) =>
      this.client.forwardIn(address, port, (error, opened) => resolve(error ? error.message : opened || port))
    );
  }

  /** Opens a backchannel: a function that says a message there and gives the server's answer. */
  backchannel(): Promise<(message: object) => Promise<Record<string, unknown>>> {
    return new Promise((resolve, reject) =>
      this.client.forwardOut("127.0.0.1", 1, BACKCHANNEL.host, BACKCHANNEL.port, (error, stream) => {
        if (error) return reject(error);
        const decoder = new MessageDecoder();
        const waiting: ((answer: Record<string, unknown>) => void)[] = [];
        stream.on("data", (bytes: Buffer) => {
          for (const answer of decoder.take(bytes)) waiting.shift()?.(answer as Record<string, unknown>);
        });
        resolve((message) => {
          stream.write(encodeMessage({ handshakeVersion: HANDSHAKE_VERSION, vitae: VITAE, ...message }));
          return new Promise((resolve) => waiting.push(resolve));
        });
      })
    );
  }

  /** Asks to be connected to `host:port` from the server; "open", or the message of the refusal. */
  connectTo(host: string, port: number): Promise<string> {
    return new Promise((resolve) =>
      this.client.forwardOut("127.0.0.1", 1, host, port, (error) => resolve(error ? error.message : "open"))
    );
  }
}

/** The method "publickey" with a client's own key. */
export function keyOf(client: TestClient): object {
  return { type: "publickey", key: readFileSync(join(client.folder, "key")) };
}

/** The method "publickey" with a new key that nobody knows. */
export function unknownKey(): object {
  for (;;) {
    const { private: key } = utils.generateKeyPairSync("ed25519");
    if (!(utils.parseKey(key) instanceof Error)) return { type: "publickey", key };
  }
}
