import { type Channel, type ChannelLink, LARGEST_PACKET } from "./channel.ts";
import type { Link } from "./link.ts";
import type { ConnectionInternals } from "./ssh_library.ts";

/** Whoever answers a session. Of the first two one is called, once. */
export interface SessionUser {
  /** A command is to be run (RFC 4254, section 6.5). @param command as it came, of any length that a packet has */
  onCommand(command: string): void;
  onShell(): void;
  /** Something was asked for that there is none of. */
  onRefused(request: string): void;
  /** Bytes of its standard input. */
  onInput?(bytes: Buffer): void;
  /** The end of its standard input. */
  onInputEnd?(): void;
}

/** Milliseconds in which a session has to ask for something, and to take an answer: one that does neither is ended. */
const PATIENCE = 30_000;

/** SSH_EXTENDED_DATA_STDERR (RFC 4254, section 5.2). */
const STDERR = 1;

/** What is neither needed nor a reason for a client to complain about. */
const HARMLESS: ReadonlySet<string> = new Set(["env", "pty-req", "window-change", "signal", "xon-xoff", "break"]);

/** One session of a client (RFC 4254, section 6): a command or a shell that petit answers itself. Nothing is run. */
export class Session {
  /** Whether it has a terminal, on which a new line does not return to its beginning by itself. */
  hasTerminal = false;
  /** Settles when it is gone. */
  readonly closed: Promise<void>;
  readonly #protocol: ConnectionInternals["_protocol"];
  readonly #channel: Channel;
  #user: SessionUser | undefined;
  #asked = false;
  #status: number | undefined;
  #timer: NodeJS.Timeout;

  /** @param accept opens its channel, over the link given */
  constructor(protocol: ConnectionInternals["_protocol"], link: Link, accept: (link: ChannelLink) => Channel) {
    this.#protocol = protocol;
    this.#channel = accept(this.#withStatus(link));
    this.#timer = this.#endLater();
    this.closed = new Promise((resolve) => {
      this.#channel.attach({
        onData: (bytes) => this.#user?.onInput?.(bytes),
        onEnd: () => this.#user?.onInputEnd?.(),
        onDrain() {},
        onClose: () => {
          clearTimeout(this.#timer);
          resolve();
        },
      });
    });
  }

  /** The number under which the client speaks of it. */
  get number(): number {
    return this.#channel.incoming.id;
  }

  use(user: SessionUser): void {
    this.#user = user;
  }

  /** Answers a request in it (RFC 4254, section 5.4). @param data as the library has parsed it */
  asked(type: string, wantReply: boolean, data: unknown): void {
    const granted = this.#grant(type, data);
    const { id, state } = this.#channel.outgoing;
    if (!wantReply || state === "closing" || state === "closed") return;
    if (granted) this.#protocol.channelSuccess(id);
    else this.#protocol.channelFailure(id);
  }

  #grant(type: string, data: unknown): boolean {
    if (type === "pty-req") this.hasTerminal = true;
    if (HARMLESS.has(type)) return true;
    const user = this.#user;
    if ((type === "exec" || type === "shell") && user !== undefined && !this.#asked) {
      this.#asked = true;
      clearTimeout(this.#timer);
      // After the answer to the request: OpenSSH connects standard input and output then.
      queueMicrotask(() => type === "exec" ? user.onCommand(String(data)) : user.onShell());
      return true;
    }
    user?.onRefused(type === "subsystem" ? `the subsystem "${String(data)}"` : type);
    return false;
  }

  /** Writes to its standard output. */
  write(text: string): void {
    this.#channel.write(this.#bytes(text));
  }

  /** Writes to its standard error; what does not fit into the window is dropped. */
  say(text: string): void {
    const { outgoing, writable } = this.#channel;
    const bytes = this.#bytes(text);
    if (!writable || bytes.length > Math.min(outgoing.window, outgoing.packetSize, LARGEST_PACKET)) return;
    outgoing.window -= bytes.length;
    this.#protocol.channelExtData(outgoing.id, bytes, STDERR);
  }

  /** Ends it, when all that was written has been taken. @param status exit status */
  end(status: number): void {
    if (this.#status !== undefined) return;
    this.#status = status;
    this.#user = undefined;
    this.#timer = this.#endLater();
    this.#channel.finish();
  }

  #endLater(): NodeJS.Timeout {
    const timer = setTimeout(() => this.#channel.close(), PATIENCE);
    timer.unref();
    return timer;
  }

  #bytes(text: string): Buffer {
    return Buffer.from(this.hasTerminal ? text.replaceAll("\n", "\r\n") : text, "utf8");
  }

  /** The exit status goes between the last byte and the end of them (RFC 4254, section 6.10). */
  #withStatus(link: Link): ChannelLink {
    return {
      get congested() {
        return link.congested;
      },
      paced: false,
      onceDrained: (call) => link.onceDrained(call),
      sendData: (recipient, data) => link.sendData(recipient, data),
      sendWindowAdjust: (recipient, bytes) => link.sendWindowAdjust(recipient, bytes),
      sendEof: (recipient) => {
        if (this.#status !== undefined) this.#protocol.exitStatus(recipient, this.#status);
        link.sendEof(recipient);
      },
      sendClose: (recipient) => link.sendClose(recipient),
      violated: (what) => link.violated(what),
    };
  }
}

/**
 * Has `onOpen` decide about the sessions of one connection. To be called once.
 *
 * @param connection the library's Connection
 * @param onOpen whoever takes the session, or undefined to refuse it
 */
export function takeSessions(
  connection: object,
  link: Link,
  onOpen: () => ((session: Session) => void) | undefined,
): void {
  const internals = connection as ConnectionInternals;
  const { _protocol: protocol } = internals;
  const sessions = new Map<number, Session>();
  link.acceptOpens("session", (open) => {
    // OpenSSH gives up further sessions in this way; it means it.
    const take = internals.noMoreSessions === true ? undefined : onOpen();
    if (take === undefined) return open.prohibit("no more sessions on this connection");
    const session = new Session(protocol, link, (over) => open.accept(over));
    sessions.set(session.number, session);
    void session.closed.then(() => sessions.get(session.number) === session && sessions.delete(session.number));
    take(session);
  });
  link.takeChannelRequests((recipient, type, wantReply, data) => {
    const session = sessions.get(recipient);
    if (session === undefined) return false;
    session.asked(type, wantReply, data);
    return true;
  });
}
