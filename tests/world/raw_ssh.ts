import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, type ConnectionInternals, type ParsedKey, utils } from "../../src/tunnel/ssh_library.ts";
import type { TestClient, TestServer } from "./world.ts";
import type { Scope } from "./temporary_folder.ts";

/** Numbers of messages (RFC 4250, section 4.1.2). */
export const MESSAGE = {
  disconnect: 1,
  authRequest: 50,
  authFailure: 51,
  authSuccess: 52,
  keyOk: 60,
  globalRequest: 80,
  requestSuccess: 81,
  requestFailure: 82,
  channelOpen: 90,
  channelConfirmation: 91,
  channelOpenFailure: 92,
  channelClose: 97,
  channelRequest: 98,
  channelFailure: 100,
} as const;

/** What a server says unasked: SSH_MSG_IGNORE, SSH_MSG_DEBUG, SSH_MSG_EXT_INFO, and its own questions. */
const UNASKED: readonly number[] = [2, 4, 7, MESSAGE.globalRequest, MESSAGE.channelOpen];

/** A field of a message (RFC 4251, section 5): a boolean, a uint32, a string of bytes; or bytes as they are. */
export type Field = boolean | number | string | Buffer | { readonly raw: Buffer };

/** Fields as they stand in a message. */
export function fields(...all: Field[]): Buffer {
  return Buffer.concat(all.map((field) => {
    if (typeof field === "boolean") return Buffer.from([field ? 1 : 0]);
    if (typeof field === "object" && "raw" in field) return field.raw;
    const number = Buffer.alloc(4);
    if (typeof field === "number") {
      number.writeUInt32BE(field);
      return number;
    }
    const bytes = Buffer.from(field as string, "utf8");
    number.writeUInt32BE(bytes.length);
    return Buffer.concat([number, bytes]);
  }));
}

/** A request to log in with a key (RFC 4252, section 7). What is left out is right. */
export interface KeyLogin {
  readonly user?: string;
  readonly key: ParsedKey;
  readonly algorithm?: string;
  /** In place of the key's own public half. */
  readonly blob?: Buffer;
  /** Whose session, user and signature the signature is about; false: an offer without one. */
  readonly signed?:
    | { readonly session?: Buffer; readonly user?: string; readonly by?: ParsedKey; readonly as?: string }
    | false;
}

/** A client that has exchanged keys and begun the service "ssh-userauth", and sends whatever messages a test tells it to. */
export class RawSsh {
  readonly sessionId: Buffer;
  /** The server's number of the channel that was opened last: it opens some of its own. */
  channel = 0;
  readonly #protocol: ConnectionInternals["_protocol"];
  readonly #received: Buffer[] = [];
  #waiting: ((message: Buffer | undefined) => void) | undefined;
  #over = false;

  private constructor(protocol: ConnectionInternals["_protocol"]) {
    this.#protocol = protocol;
    this.sessionId = Buffer.from(protocol._kex?.sessionID as Buffer);
  }

  static connect(scope: Scope, server: TestServer): Promise<RawSsh> {
    const client = new Client();
    scope.after(() => client.destroy());
    client.on("error", () => {});
    return new Promise((resolve, reject) => {
      let raw: RawSsh | undefined;
      client.on("close", () => {
        reject(new Error("The server closed the connection"));
        if (raw !== undefined) raw.#end();
      });
      client.connect({
        host: "127.0.0.1",
        port: server.running.sshPort,
        username: "nobody",
        authHandler: () => {
          const { _protocol: protocol } = client as unknown as ConnectionInternals;
          const made = raw = new RawSsh(protocol);
          (protocol._decipher as { _onPayload: unknown })._onPayload = (payload: Buffer) => made.#take(payload);
          // Whoever gets it goes on; the library waits for ever.
          resolve(made);
          return undefined as never;
        },
      });
    });
  }

  #take(payload: Buffer): void {
    const message = Buffer.from(payload);
    if (this.#waiting === undefined) this.#received.push(message);
    else this.#waiting(message);
    this.#waiting = undefined;
  }

  #end(): void {
    this.#over = true;
    this.#waiting?.(undefined);
  }

  send(type: number, ...all: Field[]): this {
    const content = fields(...all);
    const writer = this.#protocol._packetRW.write;
    const packet = writer.alloc(1 + content.length, true);
    content.copy(packet, packet.writeUInt8(type, writer.allocStartKEX));
    (this.#protocol._cipher as { encrypt(packet: Buffer): void }).encrypt(writer.finalize(packet, true));
    return this;
  }

  /** The next answer of the server; undefined where it ends the connection without one. */
  async receive(): Promise<Buffer | undefined> {
    for (;;) {
      const message = this.#received.shift() ??
        (this.#over ? undefined : await new Promise<Buffer | undefined>((resolve) => this.#waiting = resolve));
      if (message === undefined || !UNASKED.includes(message[0] as number)) return message;
    }
  }

  /** Sends a message and returns the number of the answer, 0 for none. */
  async ask(type: number, ...all: Field[]): Promise<number> {
    return (await this.send(type, ...all).receive())?.[0] ?? 0;
  }

  /** Tries to log in; the number of the answer, "partial" for a success that asks for more, 0 where the connection is gone. */
  async login(
    { user = "petit", key, algorithm = key.type, blob = key.getPublicSSH(), signed = {} }: KeyLogin,
  ): Promise<number | "partial"> {
    const request = (user: string) => fields(user, "ssh-connection", "publickey", signed !== false, algorithm, blob);
    let signature: Field[] = [];
    if (signed !== false) {
      const hash = { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" }[algorithm];
      const about = Buffer.concat([
        fields(signed.session ?? this.sessionId),
        Buffer.from([MESSAGE.authRequest]),
        request(signed.user ?? user),
      ]);
      const signer = signed.by ?? key;
      const made = signer.sign(about, (signer.type === "ssh-rsa" ? hash : undefined) as never) as Buffer;
      signature = [fields(signed.as ?? algorithm, signer.type.startsWith("ecdsa-") ? numbersOf(made) : made)];
    }
    return this.#verdict(await this.send(MESSAGE.authRequest, { raw: request(user) }, ...signature).receive());
  }

  async password(user: string, password: string): Promise<number | "partial"> {
    this.send(MESSAGE.authRequest, user, "ssh-connection", "password", false, password);
    return this.#verdict(await this.receive());
  }

  #verdict(answer: Buffer | undefined): number | "partial" {
    if (answer === undefined) return 0;
    return answer[0] === MESSAGE.authFailure && answer.at(-1) === 1 ? "partial" : answer[0] as number;
  }

  /** Asks for a channel: "open", or the number of the reason why not (RFC 4254, section 5.1). */
  async open(type: string, ...more: Field[]): Promise<"open" | number> {
    const answer = await this.send(MESSAGE.channelOpen, type, 0, 2 ** 20, 2 ** 15, ...more).receive();
    if (answer?.[0] === MESSAGE.channelConfirmation) {
      this.channel = answer.readUInt32BE(5);
      return "open";
    }
    return answer?.[0] === MESSAGE.channelOpenFailure ? answer.readUInt32BE(5) : -1;
  }

  /** Makes a global request: whether it was granted. */
  async request(name: string, ...more: Field[]): Promise<boolean> {
    const answer = await this.ask(MESSAGE.globalRequest, name, true, ...more);
    if (answer !== MESSAGE.requestSuccess && answer !== MESSAGE.requestFailure) throw new Error(`Message ${answer}`);
    return answer === MESSAGE.requestSuccess;
  }
}

/** An ECDSA signature as SSH has it (RFC 5656, section 3.1.2), from DER. */
function numbersOf(der: Buffer): Buffer {
  const r = der.subarray(4, 4 + (der[3] as number));
  return fields(r, der.subarray(4 + r.length + 2));
}

/** The key pair of a client. */
export function keyPairOf(client: TestClient): ParsedKey {
  return parsedKey(readFileSync(join(client.folder, "key")));
}

export function parsedKey(pem: string | Buffer): ParsedKey {
  const key = utils.parseKey(pem);
  if (key instanceof Error) throw key;
  return key;
}
