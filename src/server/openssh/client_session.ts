import type { ClosedCode } from "../../tunnel/messages.ts";

/** Says something to a client unasked; false where it is gone. */
export type Say = (message: object) => void;

/** The backchannel of a client that has proven its key, where its tunnel is one of the system's sshd. Moments are milliseconds of `performance.now()`. */
export class ClientSession {
  /** Of its key. */
  readonly fingerprint: string;
  /** The port from which it came: that of sshd's connection to here. */
  readonly remotePort: number;
  /** The name that the client has for its tunnel; undefined before it has introduced itself. */
  tunnelId: string | undefined;
  heard = performance.now();
  answered = -Infinity;
  asked = -Infinity;
  pinged = -Infinity;
  /** Another one of the same key has taken its registrations over. */
  superseded = false;
  readonly #say: Say;

  constructor(fingerprint: string, remotePort: number, say: Say) {
    this.fingerprint = fingerprint;
    this.remotePort = remotePort;
    this.#say = say;
  }

  /** As a tunnel's link, for what is to be known of its client. */
  get link(): { readonly answered: number; readonly wire: { readonly lastReceived: number } } {
    return { answered: this.answered, wire: { lastReceived: this.heard } };
  }

  /** Why the client lets nobody in, by id, as it said last. */
  closed: ReadonlyMap<string, ClosedCode> = new Map();

  /** Asks for a sign of life. */
  ping(): void {
    this.pinged = performance.now();
    if (this.asked <= this.answered) this.asked = this.pinged;
    this.#say({ type: "ping1" });
  }

  /** The client has answered a ping. */
  didPing(): void {
    this.answered = performance.now();
  }

  /** Tells it that its tunnel is to end. */
  dismiss(cause: string): void {
    this.#say({ type: "bye1", cause });
  }
}
