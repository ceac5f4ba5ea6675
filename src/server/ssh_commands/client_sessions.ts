import type { Session } from "../../tunnel/session.ts";
import { SessionCommands, type SessionCommandsParts } from "./session_commands.ts";
import type { SshClient } from "./ssh_client.ts";

/** As OpenSSH's MaxSessions. */
const MAX_SESSIONS = 10;

/** Refusals that are remembered for a session that is opened after them. */
const MAX_REFUSALS = 10;

/** The sessions of one client. */
export class ClientSessions {
  /** What the client was refused on this connection, in sentences. */
  readonly refusals: string[] = [];
  readonly #parts: SessionCommandsParts;
  readonly #client: SshClient;
  readonly #open = new Set<SessionCommands>();

  constructor(parts: SessionCommandsParts, client: SshClient) {
    this.#parts = parts;
    this.#client = client;
  }

  /** A request for one; whoever takes it, or undefined to refuse. */
  take(): ((session: Session) => void) | undefined {
    if (this.#open.size >= MAX_SESSIONS) {
      this.#client.forbidden(
        "channel-refused",
        `A client has ${MAX_SESSIONS} sessions open, and asked for another one`,
      );
      return undefined;
    }
    return (session) => {
      const commands = new SessionCommands(this.#parts, this.#client, session);
      this.#open.add(commands);
      void session.closed.then(() => this.#open.delete(commands));
    };
  }

  /** The client was refused something: whoever has a session reads it there. */
  refused(sentence: string): void {
    if (this.refusals.length < MAX_REFUSALS) this.refusals.push(sentence);
    for (const commands of this.#open) commands.refused(sentence);
  }
}
