import { PetitError } from "../error.ts";
import type { Channel } from "../tunnel/channel.ts";
import { encodeMessage, MessageDecoder } from "../tunnel/message_stream.ts";
import { refuseOtherVersion } from "../tunnel/message_version.ts";
import { BACKCHANNEL, type ClientMessage, type ServerMessage, serverMessage } from "../tunnel/messages.ts";
import type { SshClientConnection } from "../tunnel/ssh_client.ts";

interface Waiting {
  readonly resolve: (message: ServerMessage) => void;
  readonly reject: (error: Error) => void;
}

/** What the server says unasked. */
export type Notice = ServerMessage & { type: "reconnect1" };

/** The client's end of the backchannel (messages.ts): one question after the other, each with its answer. */
export class Backchannel {
  readonly #channel: Channel;
  readonly #decoder = new MessageDecoder();
  #waiting: Waiting[] = [];
  #lost = false;
  /** Told what the server says unasked. */
  onNotice: (notice: Notice) => void = () => {};

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
    // Of a later server; it is no answer.
    if (!parsed.success && (raw as { unasked?: unknown } | null)?.unasked === true) return;
    const waiting = this.#waiting.shift();
    try {
      refuseOtherVersion(raw, "server");
    } catch (error) {
      return waiting?.reject(error as Error);
    }
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

/** Opens the backchannel of a connection. @throws PetitError `backchannel-refused` */
export async function openBackchannel(connection: SshClientConnection): Promise<Backchannel> {
  try {
    return new Backchannel(await connection.open(BACKCHANNEL.host, BACKCHANNEL.port));
  } catch (error) {
    throw new PetitError(
      "backchannel-refused",
      "This SSH server has no petit registrar: it is not a petit server's gateway",
      { cause: error },
    );
  }
}

const lost = () => new PetitError("backchannel-lost", "The server closed the connection before it answered");
