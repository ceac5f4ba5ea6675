import { messageOf, PetitError } from "../error.ts";
import type { Channel } from "../tunnel/channel.ts";
import { BY_APPLICATION, causeSaid } from "../tunnel/disconnect_cause.ts";
import { encodeMessage, MessageDecoder } from "../tunnel/message_stream.ts";
import { refuseOtherVersion } from "../tunnel/message_version.ts";
import {
  BACKCHANNEL,
  type ClientMessage,
  type ProofMessage,
  type ServerMessage,
  serverMessage,
} from "../tunnel/messages.ts";
import { isProhibited } from "../tunnel/open_failure.ts";
import { isPetit } from "../tunnel/petit_peer.ts";
import type { SshClientConnection } from "../tunnel/ssh_client.ts";
import type { BackchannelEnd, Notice } from "./backchannel_end.ts";
import { inTime } from "./in_time.ts";
import { LegacyBackchannel, type LegacyParts } from "./legacy/legacy_backchannel.ts";
import { mayBePlain } from "./legacy/legacy_server.ts";
import { proveKey } from "./prove_key.ts";
import { SshdBackchannel } from "./sshd_backchannel.ts";

interface Waiting {
  readonly resolve: (message: ServerMessage) => void;
  readonly reject: (error: Error) => void;
}

/** The client's end of the backchannel (messages.ts): one question after the other, each with its answer. */
export class Backchannel implements BackchannelEnd {
  readonly legacy = false;
  readonly throughSshd: boolean;
  readonly #channel: Channel;
  readonly #decoder = new MessageDecoder();
  #waiting: Waiting[] = [];
  #lost = false;
  onNotice: (notice: Notice) => void = () => {};
  /** Told when it is gone; with petit's own SSH server the connection is, too, or soon will be. */
  onLost: () => void = () => {};
  /** Told when the server wants the tunnel to end, and why. */
  onBye: (cause: string) => void = () => {};

  constructor(channel: Channel, throughSshd: boolean) {
    this.#channel = channel;
    this.throughSshd = throughSshd;
    const fail = (error: Error) => {
      const isNews = !this.#lost;
      this.#lost = true;
      if (isNews) this.onLost();
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
    if (this.throughSshd && parsed.data?.type === "bye1") {
      return this.onBye(causeSaid("server", BY_APPLICATION, parsed.data.cause));
    }
    if (this.throughSshd && parsed.data?.type === "ping1") {
      return void this.#channel.write(encodeMessage({ type: "didPing1" } satisfies ClientMessage));
    }
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
    message: ClientMessage | ProofMessage,
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

  get lost(): boolean {
    return this.#lost;
  }

  close(): void {
    this.#channel.finish();
  }
}

/**
 * Opens the backchannel of a connection: as a channel to the server's side of it. Where that is another SSH server than petit's, this client's key is proven
 * on it. A server of 0.6.x lets nobody open that one; what it takes is plain TCP, which no other server is ever told anything on, and this one only
 * where the client was registered in its way.
 *
 * @throws PetitError `backchannel-refused`, `state-damaged`, and as `proveKey`
 */
export async function openBackchannel(connection: SshClientConnection, parts: LegacyParts): Promise<BackchannelEnd> {
  if (isPetit(connection.link.wire.greeting)) {
    return new Backchannel(await openChannel(connection, BACKCHANNEL.port), false);
  }
  const open = async () => {
    const backchannel = new Backchannel(await openChannel(connection, parts.config.backPort), true);
    try {
      await inTime(proveKey(backchannel, parts.folder), parts.config.connectTimeout);
      return backchannel;
    } catch (error) {
      backchannel.close();
      throw error;
    }
  };
  const isPlain = mayBePlain(parts.folder, parts.config.host);
  try {
    const first = await open();
    return parts.holds ? new SshdBackchannel(connection, first, open) : first;
  } catch (error) {
    if (isPlain && isFormers(error)) return new LegacyBackchannel(parts);
    throw error;
  }
}

/**
 * Whether an attempt on the channel has failed in the way of a server of 0.6.x: its authorized_keys allow another one only, or, where its operator has changed
 * that, it does not understand what it is asked, and has no code for that. One that does not run at the moment is no reason to go over to plain TCP.
 */
function isFormers(error: unknown): boolean {
  return isProhibited(error) || (error instanceof PetitError && error.code === "server-error");
}

/** @throws PetitError `backchannel-refused` */
async function openChannel(connection: SshClientConnection, port: number): Promise<Channel> {
  try {
    return await connection.open(BACKCHANNEL.host, port);
  } catch (error) {
    if (isPetit(connection.link.wire.greeting)) {
      throw new PetitError("backchannel-refused", "This SSH server has no petit registrar", { cause: error });
    }
    throw new PetitError(
      "backchannel-refused",
      `The SSH server lets this client in, and not through to petit behind it (${BACKCHANNEL.host}:${port}): ${
        messageOf(error)
      }`,
      {
        hint:
          'Ask the server\'s operator whether "petit server" is running there, and what "petit server check" says of AllowTcpForwarding and PermitOpen',
        cause: error,
      },
    );
  }
}

const lost = () => new PetitError("backchannel-lost", "The server closed the connection before it answered");
