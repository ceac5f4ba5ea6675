import type { Session } from "../../tunnel/session.ts";
import type { FullStatus } from "../server_status.ts";
import { ownRegistrations } from "./own_registrations.ts";
import type { SshClient } from "./ssh_client.ts";
import { shortText } from "./status_text.ts";

/** What a terminal sends for Ctrl-C and Ctrl-D. */
const ENDS: readonly number[] = [3, 4];

/**
 * The session of a client that has forgotten -N: it tells how the tunnel is, and stands for as long as its user wants the tunnel to. The end of standard
 * input is no wish of anybody's: services have none from the beginning, and plink asks for a terminal all the same.
 */
export class StandingSession {
  readonly #session: Session;
  readonly #client: SshClient;
  readonly #status: (id: string, look: boolean) => Promise<FullStatus>;

  constructor(session: Session, client: SshClient, status: (id: string, look: boolean) => Promise<FullStatus>) {
    this.#session = session;
    this.#client = client;
    this.#status = status;
  }

  /** Tells of it, when what the client asked for beside it is decided. */
  async begin(): Promise<void> {
    const client = this.#client;
    const session = this.#session;
    await client.forwardsDecided();
    const own = ownRegistrations(client);
    for (const { id } of own) session.write(shortText(await this.#status(id, false)));
    for (const sentence of client.refusals) session.say(`${sentence}\n`);
    if (!client.hasForwards) {
      const [first] = own;
      const forward = first === undefined ? "PORT" : first.port;
      session.write(`There is no shell here. A service is exposed by ssh -N -R ${forward}:localhost:8080 …\n`);
      return session.end(0);
    }
    session.write(session.hasTerminal ? "There is no shell here; Ctrl-C ends the tunnel.\n" : "");
  }

  input(bytes: Buffer): void {
    if (this.#session.hasTerminal && ENDS.some((end) => bytes.includes(end))) this.#session.end(0);
  }
}
