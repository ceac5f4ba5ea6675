import { PetitError } from "../error.ts";
import type { ClientMessage, ServerMessage } from "../tunnel/messages.ts";
import type { SshClientConnection } from "../tunnel/ssh_client.ts";
import type { Backchannel } from "./backchannel.ts";
import type { BackchannelEnd, Notice } from "./backchannel_end.ts";

/** Milliseconds before a backchannel that was lost is opened again, and longest wait between two attempts. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * The backchannel of a tunnel that the server's sshd terminates. The server behind it may be started again while the tunnel stands: then only
 * this is opened anew, and the client introduces itself again.
 */
export class SshdBackchannel implements BackchannelEnd {
  readonly legacy = false;
  readonly throughSshd = true;
  onNotice: (notice: Notice) => void = () => {};
  onLost: (cause: string) => void = () => {};
  readonly #connection: SshClientConnection;
  readonly #open: () => Promise<Backchannel>;
  #current: Backchannel;
  #opening: Promise<Backchannel> | undefined;
  /** How the client introduced itself last. */
  #handshake: ClientMessage | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param open opens another one, with the proof done */
  constructor(connection: SshClientConnection, first: Backchannel, open: () => Promise<Backchannel>) {
    this.#connection = connection;
    this.#open = open;
    this.#current = this.#use(first);
  }

  async ask<Type extends ServerMessage["type"]>(
    message: ClientMessage,
    type: Type,
  ): Promise<ServerMessage & { type: Type }> {
    if (message.type === "handshake1") this.#handshake = message;
    const backchannel = this.#current.lost ? await this.#anew() : this.#current;
    return await backchannel.ask(message, type);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#current.close();
  }

  #use(backchannel: Backchannel): Backchannel {
    backchannel.onNotice = (notice) => this.onNotice(notice);
    backchannel.onBye = (cause) => this.onLost(cause);
    backchannel.onLost = () => this.#comeBack(FIRST_WAIT);
    return backchannel;
  }

  get #isOver(): boolean {
    return this.#closed || !this.#connection.link.wire.writable;
  }

  #comeBack(wait: number): void {
    if (this.#isOver) return;
    // Clients of one server do not come back at the same moment.
    const spread = wait * (1 + Math.random()) / 2;
    this.#timer = setTimeout(() => {
      this.#anew().catch(() => this.#comeBack(Math.min(2 * wait, LONGEST_WAIT)));
    }, spread);
  }

  /** Opens it again, and has the client introduced, once for all who ask meanwhile. */
  #anew(): Promise<Backchannel> {
    clearTimeout(this.#timer);
    if (!this.#current.lost) return Promise.resolve(this.#current);
    this.#opening ??= this.#reopen().finally(() => this.#opening = undefined);
    return this.#opening;
  }

  async #reopen(): Promise<Backchannel> {
    if (this.#isOver) throw new PetitError("backchannel-lost", "The connection to the server is over");
    const backchannel = await this.#open();
    try {
      if (this.#handshake !== undefined) await backchannel.ask(this.#handshake, "shakehand1");
      if (this.#isOver || backchannel.lost) throw new PetitError("backchannel-lost", "The backchannel is gone again");
    } catch (error) {
      // The server does not know whose it is: that is as good as none.
      backchannel.close();
      throw error;
    }
    this.#current = this.#use(backchannel);
    return backchannel;
  }
}
