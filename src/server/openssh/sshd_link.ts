import { randomBytes } from "node:crypto";
import type { TunnelLink } from "../tunnel_connection.ts";
import type { ProvenClient } from "./proven_client.ts";

/** What is known of a tunnel that sshd terminates: by what comes from its service, and by what its client says on its backchannel. */
export class SshdLink implements TunnelLink {
  /** Connections to sshd that are open or being opened. */
  channels = 0;
  /** When bytes came from the service last. */
  bytesAt = -Infinity;
  standing = true;
  readonly wire: TunnelLink["wire"];
  readonly #client: () => ProvenClient | undefined;
  #name: string | undefined;
  readonly #ownName = randomBytes(8).toString("hex");
  /** When its client said something last; undefined where it never has. */
  #said: number | undefined;

  /**
   * @param client the backchannel of its client; undefined where it has none, such as plain ssh
   * @param seen when sshd was last seen to listen for it
   */
  constructor(client: () => ProvenClient | undefined, seen: () => number) {
    this.#client = client;
    const isStanding = () => this.standing;
    const heard = () => {
      this.#said = client()?.heard ?? this.#said;
      // Where its client has no word, that sshd holds its port open is what is known of it.
      return Math.max(this.bytesAt, this.#said ?? seen());
    };
    this.wire = {
      greeting: "",
      get writable() {
        return isStanding();
      },
      get lastReceived() {
        return heard();
      },
    };
  }

  get tunnelId(): string {
    return this.#name ?? this.#ownName;
  }

  /** Takes the name that its client has for it. The first one stands: another backchannel is another tunnel's. */
  learnName(): void {
    this.#name ??= this.#client()?.tunnelId;
  }

  /** What a service sends shows that callers' bytes went there, or could. */
  get answered(): number {
    return Math.max(this.bytesAt, this.#client()?.answered ?? -Infinity);
  }

  get asked(): number {
    return this.#client()?.asked ?? -Infinity;
  }

  /** Without a backchannel there is nobody to ask. */
  get pinged(): number {
    return this.#client()?.pinged ?? performance.now();
  }

  ping(): void {
    this.#client()?.ping();
  }
}
