/** The connection of a backchannel, as far as it is spoken on unasked. */
export interface ProvenConnection {
  /** The port from which it came: that of sshd's connection to here. */
  readonly port: number;
  say(message: object): Promise<void>;
  finish(): void;
}

/** The backchannel of a client that has proven its key, where its tunnel is one of the system's sshd. Moments are milliseconds of `performance.now()`. */
export class ProvenClient {
  /** Of its key. */
  readonly fingerprint: string;
  /** The name that the client has for its tunnel; undefined before it has introduced itself. */
  tunnelId: string | undefined;
  heard = performance.now();
  answered = -Infinity;
  asked = -Infinity;
  pinged = -Infinity;
  readonly #connection: ProvenConnection;

  constructor(fingerprint: string, connection: ProvenConnection) {
    this.fingerprint = fingerprint;
    this.#connection = connection;
  }

  get remotePort(): number {
    return this.#connection.port;
  }

  /** As a tunnel's link, for what is to be known of its client. */
  get link(): { readonly answered: number; readonly wire: { readonly lastReceived: number } } {
    return { answered: this.answered, wire: { lastReceived: this.heard } };
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.pinged = performance.now();
    if (this.asked <= this.answered) this.asked = this.pinged;
    void this.#connection.say({ type: "ping1", unasked: true });
  }

  /** The client has answered a ping. */
  didPing(): void {
    this.answered = performance.now();
  }

  /** Tells it that its tunnel is to end. */
  dismiss(cause: string): void {
    void this.#connection.say({ type: "bye1", cause, unasked: true });
  }

  /** Has it open its backchannel anew, to another process. */
  close(): void {
    this.#connection.finish();
  }
}
