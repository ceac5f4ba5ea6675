import { PetitError } from "../error.ts";
import type { Channel } from "../tunnel/channel.ts";
import { encodeMessage, MessageDecoder } from "../tunnel/message_stream.ts";
import { BACKCHANNEL, type ClientMessage, type ServerMessage, serverMessage } from "../tunnel/messages.ts";
import { isPetit } from "../tunnel/petit_peer.ts";
import type { SshClientConnection } from "../tunnel/ssh_client.ts";
import type { BackchannelEnd, Notice } from "./backchannel_end.ts";
import { LegacyBackchannel, type LegacyParts } from "./legacy/legacy_backchannel.ts";
import { mayBePlain } from "./legacy/legacy_server.ts";

interface Waiting {
  readonly resolve: (message: ServerMessage) => void;
  readonly reject: (error: Error) => void;
}

/** The client's end of the backchannel (messages.ts): one question after the other, each with its answer. */
export class Backchannel implements BackchannelEnd {
  readonly legacy = false;
  readonly #channel: Channel;
  readonly #decoder = new MessageDecoder();
  #waiting: Waiting[] = [];
  #lost = false;
  onNotice: (notice: Notice) => void = () => {};
  /** Never told: it is part of the connection. */
  onLost: (cause: string) => void = () => {};

  constructor(channel: Channel) {
    this.#channel = channel;
    const fail = (error: Error) => {
      this.#lost = true;
      for (const { reject } of this.#waiting) reject(error);
      this.#waiting = [];
    };
    channel.attach({
      onData: (bytes) => {
        try {
          for (const raw of this.#decoder.take(bytes)) this.#take(raw);
        } catch (error) {
          fail(error as Error);
          channel.close();
        }
      },
      onEnd: () => fail(lost()),
      onDrain() {},
      onClose: () => fail(lost()),
    });
  }

  #take(raw: unknown): void {
    const parsed = serverMessage.safeParse(raw);
    if (parsed.data?.type === "reconnect1") return this.onNotice(parsed.data);
    const waiting = this.#waiting.shift();
    if (!parsed.success) {
      waiting?.reject(
        new PetitError("message-invalid", "The server sent a message that this client does not understand"),
      );
    } else if (parsed.data.type === "error") {
      waiting?.reject(new PetitError(parsed.data.code ?? "server-error", parsed.data.error));
    } else waiting?.resolve(parsed.data);
  }

  /**
   * Sends a message and waits for its answer.
   * @throws PetitError with the server's code and sentence where it refuses; `backchannel-lost`, `message-invalid`
   */
  async ask<Type extends ServerMessage["type"]>(
    message: ClientMessage,
    type: Type,
  ): Promise<ServerMessage & { type: Type }> {
    if (this.#lost) throw lost();
    const answer = await new Promise<ServerMessage>((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#channel.write(encodeMessage(message));
    });
    if (answer.type !== type) {
      throw new PetitError("message-invalid", `The server answered "${answer.type}" where "${type}" was due`);
    }
    return answer as ServerMessage & { type: Type };
  }

  close(): void {
    this.#channel.finish();
  }
}

/**
 * Opens the backchannel of a connection: as a channel to the server's side of it. A server of 0.6.x lets nobody open that one; what it takes is plain TCP,
 * which no other server is ever told anything on, and this one only where the client was registered in its way.
 *
 * @throws PetitError `backchannel-refused`, `state-damaged`
 */
export async function openBackchannel(connection: SshClientConnection, parts: LegacyParts): Promise<BackchannelEnd> {
  const petit = isPetit(connection.link.wire.greeting);
  try {
    return new Backchannel(await connection.open(BACKCHANNEL.host, petit ? BACKCHANNEL.port : parts.config.backPort));
  } catch (error) {
    if (!petit && mayBePlain(parts.folder, parts.config.host)) return new LegacyBackchannel(parts);
    throw new PetitError(
      "backchannel-refused",
      "This SSH server has no petit registrar: it is not a petit server's gateway",
      { cause: error },
    );
  }
}

const lost = () => new PetitError("backchannel-lost", "The server closed the connection before it answered");
