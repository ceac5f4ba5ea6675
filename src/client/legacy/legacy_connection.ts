import { connect, type Socket } from "node:net";
import { messageOf, PetitError, systemCode } from "../../error.ts";
import { type LegacyServerMessage, legacyServerMessage } from "../../tunnel/legacy_messages.ts";
import { encodeMessage, MessageDecoder } from "../../tunnel/message_stream.ts";

/** Where a server of 0.6.x takes its backchannel. */
export interface LegacyAddress {
  readonly host: string;
  readonly port: number;
  /** Milliseconds to connect, and again for each answer. */
  readonly timeout: number;
}

interface Waiting {
  readonly resolve: (message: LegacyServerMessage) => void;
  readonly reject: (error: Error) => void;
}

/** One connection to the backchannel of a server of 0.6.x. Nothing in it is encrypted, and nobody has shown who the server is. */
export class LegacyConnection {
  /** Settles when the connection is gone, by whatever side. */
  readonly closed: Promise<void>;
  readonly #address: LegacyAddress;
  readonly #socket: Socket;
  readonly #decoder = new MessageDecoder();
  #waiting: Waiting | undefined;
  #failure: Error | undefined;

  private constructor(socket: Socket, address: LegacyAddress) {
    this.#socket = socket;
    this.#address = address;
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("error", (error) => this.#fail(lost(address, systemCode(error) ?? messageOf(error))));
    this.closed = new Promise((resolve) =>
      socket.once("close", () => {
        this.#fail(lost(address, "the server closed it"));
        resolve();
      })
    );
  }

  /** @throws PetitError `backchannel-unreachable` */
  static open(address: LegacyAddress, signal: AbortSignal): Promise<LegacyConnection> {
    const { host, port, timeout } = address;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      const abort = () => socket.destroy(signal.reason);
      const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout);
      signal.addEventListener("abort", abort, { once: true });
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
        socket.off("error", onError);
      };
      const onError = (error: Error) => {
        done();
        reject(unreachable(address, error));
      };
      socket.once("error", onError);
      socket.once("connect", () => {
        done();
        // It is as long as the tunnel, and silent for most of that time: what is between may forget it.
        socket.setKeepAlive(true, 30_000);
        resolve(new LegacyConnection(socket, address));
      });
    });
  }

  get alive(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Sends a message and waits for its answer; one at a time.
   * @throws PetitError `backchannel-lost`, `backchannel-silent`, `message-invalid`; `server-error` with the server's words
   */
  async ask<Type extends LegacyServerMessage["type"]>(
    message: object,
    type: Type,
  ): Promise<LegacyServerMessage & { type: Type }> {
    if (this.#failure !== undefined) throw this.#failure;
    const { timeout } = this.#address;
    const silent = setTimeout(
      () =>
        this.#fail(new PetitError("backchannel-silent", `${this.#where} did not answer within ${timeout / 1000} s`)),
      timeout,
    );
    try {
      const answer = await new Promise<LegacyServerMessage>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#socket.write(encodeMessage(message));
      });
      if (answer.type === type) return answer as LegacyServerMessage & { type: Type };
      if (answer.type !== "error") throw this.#invalid(`answered "${answer.type}" where "${type}" was due`);
      throw new PetitError("server-error", `${this.#where} refuses: ${sentence(answer.error)}`);
    } finally {
      clearTimeout(silent);
      this.#waiting = undefined;
    }
  }

  /** Sends a message that is not answered. */
  tell(message: object): void {
    this.#socket.write(encodeMessage(message));
  }

  /** Ends it once everything has been sent. */
  close(): void {
    this.#failure ??= lost(this.#address, "this client closed it");
    this.#socket.destroySoon();
  }

  #take(bytes: Buffer): void {
    try {
      for (const raw of this.#decoder.take(bytes)) {
        const parsed = legacyServerMessage.safeParse(raw);
        if (!parsed.success) throw this.#invalid("sent a message that no server of petit 0.6 sends");
        // An answer that nobody waits for any more has no meaning.
        this.#waiting?.resolve(parsed.data);
      }
    } catch (error) {
      this.#fail(
        error instanceof PetitError && error.message.startsWith(this.#where)
          ? error
          : this.#invalid("speaks something else than petit's messages"),
      );
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(error);
    this.#socket.destroy();
  }

  #invalid(what: string): PetitError {
    return new PetitError("message-invalid", `${this.#where} ${what}`, {
      hint: "Check that [client] backPort is the backPort of a petit 0.6 server",
    });
  }

  get #where(): string {
    return nameOf(this.#address);
  }
}

const nameOf = ({ host, port }: LegacyAddress) => `The backchannel ${host}:${port}`;

const lost = (address: LegacyAddress, why: string) =>
  new PetitError("backchannel-lost", `${nameOf(address)} was lost: ${why}`);

function unreachable(address: LegacyAddress, error: Error): unknown {
  if (error.name === "AbortError" || error.name === "TimeoutError") return error;
  const { host, port } = address;
  const why = systemCode(error) === "ECONNREFUSED" ? `nothing listens there` : systemCode(error) ?? messageOf(error);
  return new PetitError("backchannel-unreachable", `Cannot reach the plain backchannel ${host}:${port}: ${why}`, {
    hint:
      "A petit 0.6 server has it on its backPort, which [client] backPort has to name; with a newer server, register with a join code from its operator",
    cause: error,
  });
}

/** What a server says of its errors, on one line. */
function sentence(text: string): string {
  // deno-lint-ignore no-control-regex
  const line = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ").trim().replace(/\.$/, "");
  return line === "" ? "it gives no reason" : line.slice(0, 300);
}
