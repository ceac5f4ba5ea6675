import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from "node:crypto";
import { connect } from "node:net";
import { RawPeer } from "./raw_peer.ts";
import type { Scope } from "./temporary_folder.ts";
import { TestServer } from "./world.ts";

/** What the server says on the plain backchannel. */
export interface LegacyAnswer {
  readonly type: string;
  readonly error: string;
  readonly code: string;
  readonly prompt: string;
  readonly registeredId: string;
  readonly registeredPort: number;
  readonly replacement: string[];
  readonly bindPort: number | number[];
  readonly vitae: Record<string, string>;
}

/** A key as clients of 0.6.x have them. */
export function legacyKeyPair(modulusLength = 2048): { publicKey: string; privateKey: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength });
  return { publicKey: publicKey.export({ type: "spki", format: "pem" }) as string, privateKey };
}

/** One connection to the plain backchannel that says what it is told. */
export class LegacyPeer extends RawPeer {
  constructor(scope: Scope, server: TestServer) {
    const port = server.running.backPort as number;
    super(connect({ port, host: "127.0.0.1", noDelay: true }));
    scope.after(() => this.socket.destroy());
  }

  say(type: string, more: object = {}): this {
    this.socket.write(`${JSON.stringify({ type, handshakeVersion: 1, ...more })}\x03`);
    return this;
  }

  async answer(): Promise<LegacyAnswer> {
    return JSON.parse((await this.takeUntil("\x03")).slice(0, -1)) as LegacyAnswer;
  }

  ask(type: string, more: object = {}): Promise<LegacyAnswer> {
    return this.say(type, more).answer();
  }

  register(publicKey: string, preferred: object | null = null): Promise<LegacyAnswer> {
    return this.ask("register1", { publicKey, preferred });
  }

  /** The whole handshake, or what came in place of an answer. */
  async handshake(key: KeyObject, ...registeredId: unknown[]): Promise<LegacyAnswer> {
    const first = await this.ask("handshake1", { registeredId });
    if (first.type !== "shakehand1") return first;
    return await this.ask("handshake2", { registeredId, response: responseTo(first.prompt, key) });
  }
}

/** What 0.6.x answers to a prompt. */
export function responseTo(prompt: string, key: KeyObject): string {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return privateDecrypt({ key, padding, oaepHash: "sha1" }, Buffer.from(prompt, "base64")).toString("base64");
}

/** A server that clients of 0.6.x can use. */
export function legacyTestServer(scope: Scope, settings = 'registration = "open"', ssh = ""): TestServer {
  return new TestServer(scope, `legacyBackchannel = true\nbackHost = "127.0.0.1"\nbackPort = 0\n${settings}`, ssh);
}
