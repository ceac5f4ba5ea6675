import { messageOf, PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import { within } from "../../platform/within.ts";
import type { Session } from "../../tunnel/session.ts";
import { MAX_KEY_TEXT } from "../../tunnel/public_key_text.ts";
import { isOwnFault, toldError } from "../own_fault.ts";
import { registeredKeyText } from "../plain_ssh.ts";
import type { FullStatus } from "../server_status.ts";
import { ownRegistrations } from "./own_registrations.ts";
import { registerCommand, type RegisterParts } from "./register_command.ts";
import { SessionInput } from "./session_input.ts";
import type { SshClient } from "./ssh_client.ts";
import { StandingSession } from "./standing_session.ts";
import { statusText } from "./status_text.ts";
import { nameOf, optionsOf, shown } from "./words.ts";

export interface SessionCommandsParts extends RegisterParts {
  readonly log: Log;
  /** What is known of a registration. @param look whether its service is probed first @throws PetitError `registration-unknown` */
  status(id: string, look: boolean): Promise<FullStatus>;
}

/** Milliseconds for a key to come on standard input. */
const KEY_WITHIN = 60_000;

/** Services that are probed for one answer. */
const MAX_LOOKS = 20;

/** As a shell says that there is no such command. */
const UNKNOWN_COMMAND = 127;

const HELP = `status [--json]    how the registration is, or all those of this key
help               this list
A tunnel is built by ssh -N -R PORT:localhost:8080; there is no shell here.
`;
const JOIN_HELP = `register [--local-name NAME] [--json] < KEY.pub
                   makes a registration for the public key on standard input,
                   or for the one that this login has proven
help               this list
`;

/** What a client asks for in a session: words that petit answers itself. Nothing is ever run. */
export class SessionCommands {
  readonly #parts: SessionCommandsParts;
  readonly #client: SshClient;
  readonly #session: Session;
  readonly #input = new SessionInput(MAX_KEY_TEXT);
  #standing: StandingSession | undefined;

  constructor(parts: SessionCommandsParts, client: SshClient, session: Session) {
    this.#parts = parts;
    this.#client = client;
    this.#session = session;
    void session.closed.then(() => this.#input.end());
    session.use({
      onCommand: (command) => void this.#answer(() => this.#run(command)),
      onShell: () => void this.#answer(() => this.#shell()),
      onRefused: (request) => client.forbidden("session-refused", `A client asked for ${shown(request)} in a session`),
      onInput: (bytes) => this.#standing === undefined ? this.#input.take(bytes) : this.#standing.input(bytes),
      onInputEnd: () => this.#input.end(),
    });
  }

  /** Something was refused on its connection while it stands. */
  refused(sentence: string): void {
    if (this.#standing !== undefined) this.#session.say(`${sentence}\n`);
  }

  async #answer(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const told = toldError(error);
      if (!(error instanceof PetitError)) {
        const { address, key } = this.#client;
        const facts = { err: error, code: told.code, address, key: key?.fingerprint };
        this.#parts.log.error(facts, "A command of a client could not be answered");
      } else if (isOwnFault(error)) {
        this.#parts.log.error({ code: error.code, hint: error.hint }, `A client was refused: ${messageOf(error)}`);
      } else return this.#fail(error);
      this.#fail(new PetitError(told.code, told.error));
    }
  }

  #fail({ message, hint, exitCode }: PetitError): void {
    this.#session.say(`petit: ${message}\n${hint === undefined ? "" : `${hint}\n`}`);
    this.#session.end(exitCode);
  }

  async #run(command: string): Promise<void> {
    const name = nameOf(command);
    const joins = this.#client.join !== undefined;
    if (name === "help") return this.#print(joins ? JOIN_HELP : HELP);
    if (name === "register" && joins) return await this.#register(command);
    if (name === "status" && !joins) return await this.#status(command);
    this.#client.forbidden("command-refused", `A client asked for the command "${shown(command)}"`);
    const why = name === "register"
      ? 'A registration is made by the user "join", with a join code as the password'
      : name === "status"
      ? "This login is for registering only; log in as the registration's id to see how it is"
      : `There is no command "${shown(name)}" here, and no shell; "help" lists those that there are`;
    this.#session.say(`petit: ${why}\n`);
    this.#session.end(UNKNOWN_COMMAND);
  }

  #print(text: string): void {
    this.#session.write(text);
    this.#session.end(0);
  }

  async #register(command: string): Promise<void> {
    const options = optionsOf(command, { "local-name": true, "json": false });
    const name = options.get("local-name");
    const typed = await this.#key();
    const registered = await registerCommand(
      this.#parts,
      this.#client,
      typed,
      typeof name === "string" ? name : undefined,
    );
    this.#print(options.has("json") ? `${JSON.stringify(registered)}\n` : registeredKeyText(registered));
  }

  /** What is on standard input; nothing where a person types there. @throws PetitError */
  async #key(): Promise<Buffer> {
    if (this.#session.hasTerminal) return Buffer.alloc(0);
    const all = this.#input.all();
    if (!await within(KEY_WITHIN, all)) {
      throw new PetitError("key-missing", "No public key came on standard input", {
        hint: "Add < ~/.ssh/id_ed25519.pub",
        exitCode: 2,
      });
    }
    const typed = await all;
    if (typed !== undefined) return typed;
    throw new PetitError("key-invalid", "This is no public key: it is longer than any key", { exitCode: 2 });
  }

  async #status(command: string): Promise<void> {
    const options = optionsOf(command, { json: false });
    const own = ownRegistrations(this.#client);
    const all = await Promise.all(own.map(({ id }) => this.#parts.status(id, own.length <= MAX_LOOKS)));
    if (!options.has("json")) return this.#print(all.map((status) => statusText(status)).join("\n"));
    this.#print(`${JSON.stringify(all.map(shownToClient))}\n`);
  }

  /** Where a shell is asked for, -N was forgotten: the tunnel is to stand all the same. */
  async #shell(): Promise<void> {
    if (this.#client.join !== undefined) {
      throw new PetitError("usage", "There is no shell here", {
        hint: 'To register, say "register" behind the host\'s name, and give a public key on standard input',
        exitCode: 2,
      });
    }
    this.#standing = new StandingSession(this.#session, this.#client, this.#parts.status);
    await this.#standing.begin();
  }
}

/** Who may call is the operator's affair. */
function shownToClient({ access: _, ...status }: FullStatus): Omit<FullStatus, "access"> {
  return status;
}
